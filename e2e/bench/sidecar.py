"""Envoy's configuration for the benchmark, as data: listeners, clusters, bootstrap.

Made here and not from `e2e/templates`, since filters with 100,000 rules must be written
and read quickly: JSON, which Envoy reads several times as fast as YAML. Settings are
those of an Istio sidecar, but there is no access log: it costs each variant the same
and makes the differences between them less steady.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from e2e.proxy import Node, Plugin

Json = dict[str, Any]

_API: Final = "type.googleapis.com/envoy"
_CONNECTION_MANAGER: Final = (
    f"{_API}.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
_ROUTER: Final = f"{_API}.extensions.filters.http.router.v3.Router"
_HTTP_OPTIONS: Final = f"{_API}.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a TCP port."""

    address: str
    port: int

    def config(self) -> Json:
        return {
            "socket_address": {"address": self.address, "port_value": self.port},
        }


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener; `action` is what its one route does with every request."""

    place: Place
    direction: str
    action: Json
    http_filters: tuple[Json, ...] = ()
    network_filters: tuple[Json, ...] = ()

    def config(self) -> Json:
        """Return Envoy's `Listener`."""
        name = f"{self.place.address}_{self.place.port}"
        chain = [*self.network_filters, self._connection_manager(name)]
        return {
            "name": name,
            "traffic_direction": self.direction,
            "enable_reuse_port": False,
            "address": self.place.config(),
            "filter_chains": [{"filters": chain}],
        }

    def _connection_manager(self, name: str) -> Json:
        route = {"match": {"prefix": "/"}, **self.action}
        hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
        router = {"name": "router", "typed_config": {"@type": _ROUTER}}
        return {
            "name": "http",
            "typed_config": {
                "@type": _CONNECTION_MANAGER,
                "stat_prefix": name,
                "server_name": "istio-envoy",
                "use_remote_address": False,
                "forward_client_cert_details": "APPEND_FORWARD",
                "normalize_path": True,
                "stream_idle_timeout": "0s",
                "upgrade_configs": [{"upgrade_type": "websocket"}],
                "http_filters": [*self.http_filters, router],
                "route_config": {"name": name, "virtual_hosts": hosts},
            },
        }


def inbound(
    place: Place, filters: tuple[Json, ...], network_filters: tuple[Json, ...]
) -> Listener:
    """Return a sidecar's listener for requests to its application."""
    action = to_cluster(inbound_cluster(place.port))
    return Listener(place, "INBOUND", action, filters, network_filters)


def inbound_cluster(port: int) -> str:
    """Return Istio's name for the cluster of an application's own port."""
    return f"inbound|{port}||"


def outbound(place: Place, cluster_name: str, filters: tuple[Json, ...]) -> Listener:
    """Return a sidecar's listener for requests of its application."""
    return Listener(place, "OUTBOUND", to_cluster(cluster_name), filters)


def to_cluster(name: str) -> Json:
    return {"route": {"cluster": name, "timeout": "0s"}}


def answering(body: str, content_type: str) -> Json:
    """Return the action of an application that answers at once."""
    header = {"key": "content-type", "value": content_type}
    return {
        "direct_response": {"status": 200, "body": {"inline_string": body}},
        "response_headers_to_add": [{"header": header}],
    }


def cluster(
    name: str, place: Place, source: str | None = None, *, is_http2: bool = False
) -> Json:
    """Return a cluster of one endpoint; `source` is the address to connect from."""
    endpoint = {"endpoint": {"address": place.config()}}
    made: Json = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    if source is not None:
        bind = {"address": source, "port_value": 0}
        made["upstream_bind_config"] = {"source_address": bind}
    if is_http2:
        options = {
            "@type": _HTTP_OPTIONS,
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        key = _HTTP_OPTIONS.removeprefix("type.googleapis.com/")
        made["typed_extension_protocol_options"] = {key: options}
    return made


def bootstrap(
    node: Node, folder: Path, listeners: Sequence[Listener], clusters: Sequence[Json]
) -> Json:
    """Return Envoy's `Bootstrap`; the admin interface is a socket in `folder`."""
    identity = f"{node.name}.{node.namespace}"
    return {
        "node": {
            "id": f"sidecar~{node.addresses[0]}~{identity}~{node.namespace}.svc",
            "cluster": identity,
            "metadata": {
                "NAME": node.name,
                "NAMESPACE": node.namespace,
                "WORKLOAD_NAME": node.name,
                "SERVICE_ACCOUNT": node.service_account,
                "LABELS": dict(node.labels),
                "INSTANCE_IPS": ",".join(node.addresses),
            },
        },
        "admin": {
            "address": {"pipe": {"path": str(folder / "admin"), "mode": 0o600}},
            "ignore_global_conn_limit": True,
        },
        "static_resources": {
            "listeners": [listener.config() for listener in listeners],
            "clusters": list(clusters),
        },
    }


def wasm(plugin: Plugin, layer: str = "http") -> Json:
    """Return a Wasm filter; `layer` is `http` or `network`."""
    config: Json = {
        "name": plugin.name,
        "root_id": plugin.root_id,
        "failure_policy": plugin.failure_policy,
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "vm_id": plugin.vm_id,
            "code": {"local": {"filename": str(plugin.module)}},
        },
    }
    if plugin.configuration:
        config["configuration"] = {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": plugin.configuration,
        }
    kind = f"{_API}.extensions.filters.{layer}.wasm.v3.Wasm"
    return typed(plugin.name, kind, config=config)


def typed(name: str, kind: str, /, **fields: Any) -> Json:
    """Return a named extension with its configuration."""
    return {"name": name, "typed_config": {"@type": kind, **fields}}

"""A small mesh whose filter runs on both back ends, one plugin per workload.

    shop/web -> shop/cart:8080 -> shop/db:5432    ops/prom -> shop/cart:9090 (metrics)
    192.0.2.0/25 -> shop/web:80                   ops/free is selected by no policy

Everything else in `shop` is denied; `ops/prom` and `ops/free` are not isolated, but
`shop` may not call them. An audited policy would isolate `ops/free`.

`ops/prom` may also ask `shop/cart:8080` some questions, told apart by the request; an
Admin policy denies `/internal` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network, ip_address

from generator.build import compile_filter
from generator.overlay.address import OverlayAddress
from generator.overlay.build import build_overlay
from generator.overlay.bundle import make_bundle
from generator.overlay.configuration import (
    Endpoint,
    KeyMode,
    Traffic,
    plugin_configuration,
)
from generator.overlay.keys import key_header
from generator.overlay.master_keys import MasterKey, MasterKeys
from generator.overlay.model import Overlay, Workload
from generator.policy.load import load_sources
from generator.source import SourceFile
from generator.table.build import build_table
from generator.table.encode import encode_table
from generator.wasm.context import FilterState
from generator.wasm.guest import Guest, WasmGuest
from generator.wasm.host import Host, property_path
from generator.wasm.plugin import Outcome, Plugin
from generator.wasm.python_guest import PythonGuest

POLICIES = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}}]
    ports: [{port: 80}]
  egress:
  - to: [{podSelector: {matchLabels: {app: cart}}}]
    ports: [{port: http}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: http}]
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}},
            podSelector: {matchLabels: {app: prom}}}]
    ports: [{port: 9090}]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: cart}}}]
    ports: [{port: 5000, endPort: 5999}]
"""

# Cluster-wide policies, and one that is only audited: what it would deny passes.
MORE_POLICIES = """
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: ops}}}
  ingress:
  - action: Deny
    from: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: tomorrow
  namespace: ops
  annotations: {pepmesh.dev/mode: audit}
spec:
  podSelector: {matchLabels: {app: free}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: prom}}}]
    ports: [{port: 8080}]
"""

# Rules that ask about the request.
REQUEST_POLICIES = """
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: questions, namespace: shop}
spec:
  subject: {pods: {podSelector: {matchLabels: {app: cart}}}}
  ingress:
  - from:
    - pods:
        namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}
        podSelector: {matchLabels: {app: prom}}
    ports: [{port: 8080}]
    http:
    - methods: [GET, HEAD]
      paths: [{exact: /carts}, {template: "/carts/{*}/items"}]
    - methods: [POST]
      paths: [{prefix: /carts}]
      headers: [{name: x-team, exact: blue}]
    - hosts: ["*.status.example"]
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: internal, namespace: pepmesh-system}
spec:
  tier: Admin
  priority: 7
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}
  ingress:
  - action: Deny
    from: [{namespaces: {}}]
    ports: [{port: 8080}]
    http: [{paths: [{prefix: /internal}]}]
"""

MEMBER = """
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec:
  serviceAccountName: {name}
  containers: [{{name: main, ports: [{ports}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: main, port: 80, targetPort: {target}}}]
"""

HTTP = "{containerPort: 8080, name: http}, {containerPort: 9090, name: metrics}"
MEMBERS = (
    ("shop", "web", "{containerPort: 80}", "80"),
    ("shop", "cart", HTTP, "http"),
    ("shop", "db", "{containerPort: 5432}", "5432"),
    ("ops", "prom", "{containerPort: 9090}", "9090"),
    ("ops", "free", "{containerPort: 8080}", "8080"),
)

POD_RANGE = IPv4Network("10.0.0.0/8")
NOW_NS = 1_700_000_000_000_000_000
EPOCH = NOW_NS // 30_000_000_000
MASTER = MasterKeys("shop", 0, (MasterKey(1, b"m" * 32), MasterKey(2, b"n" * 32)))


@cache
def mesh() -> tuple[Overlay, bytes]:
    """The overlay and its encoded table."""
    texts = [POLICIES, MORE_POLICIES, REQUEST_POLICIES]
    for namespace, name, ports, target in MEMBERS:
        texts.append(
            MEMBER.format(namespace=namespace, name=name, ports=ports, target=target)
        )
    model = load_sources([SourceFile("mesh.yaml", "".join(texts))]).model
    overlay, _, _ = build_overlay(model, None, name="shop")
    return overlay, encode_table(build_table(model, overlay, [POD_RANGE]))


@cache
def module() -> bytes:
    return compile_filter(mesh()[1])


def workload(name: str) -> Workload:
    return mesh()[0].workloads_by_name["ops" if name in FREE else "shop", name][0]


FREE = ("prom", "free")


def target_id(host: str) -> int:
    return next(t.id for t in mesh()[0].targets if t.host == host)


def own_target(name: str) -> int:
    found = workload(name)
    return target_id(f"{name}.{found.namespace}.svc.cluster.local")


def address(name: str, instance: str = "10.0.0.1") -> OverlayAddress:
    return mesh()[0].address_of(workload(name), ip_address(instance))


def start_guest(backend: str, table: bytes | None = None) -> Guest:
    host = Host()
    host.clock_ns = NOW_NS
    if backend == "wasm":
        return WasmGuest(module() if table is None else compile_filter(table), host)
    data = mesh()[1] if table is None else table
    return PythonGuest("filters.pep", host, {"table": data})


def configuration(
    name: str,
    direction: Traffic | None = None,
    reachable: tuple[str, ...] = (),
    instance: str = "10.0.0.2",
    keys: MasterKeys | None = None,
    mode: KeyMode = KeyMode.PLAIN,
) -> bytes:
    """The plugin configuration of a workload outside Kubernetes."""
    overlay, _ = mesh()
    found = workload(name)
    targets = [own_target(target) for target in reachable]
    bundle = make_bundle(keys or master(), overlay, found.id, targets)
    endpoint = Endpoint(
        found.namespace, found.service_account, found.labels, ip_address(instance)
    )
    text = plugin_configuration(
        bundle, direction=direction, endpoint=endpoint, key_mode=mode
    )
    return text.encode()


@cache
def master() -> MasterKeys:
    return MasterKeys(MASTER.name, mesh()[0].id, MASTER.active)


def only_key(number: int) -> MasterKeys:
    """The master keys when all other keys have been given up."""
    found = tuple(key for key in MASTER.active if key.id == number)
    return MasterKeys(MASTER.name, mesh()[0].id, found)


def key_of(
    source: str,
    target: str,
    *,
    epoch: int = EPOCH,
    key_id: int = 2,
    instance: str = "10.0.0.1",
) -> bytes:
    """The key header that `source` makes for a Service, with the reference code."""
    return key_header(
        pairwise(source, target, key_id),
        key_id=key_id,
        epoch=epoch,
        source=address(source, instance),
        target_id=own_target(target),
    ).encode()


def pairwise(source: str, target: str, key_id: int) -> bytes:
    """K of a workload for a Service."""
    found = workload(source).id, [own_target(target)]
    return make_bundle(only_key(key_id), mesh()[0], *found).send[0].key


REQUEST = (
    (b":method", b"GET"),
    (b":path", b"/"),
    (b":authority", b"cart"),
    (b":scheme", b"http"),
)

Headers = tuple[tuple[bytes, bytes], ...]
Connection = dict[bytes, FilterState]


@dataclass
class Pep:
    """One workload's filter. `peer` is who is really at the other end."""

    backend: str
    name: str
    direction: Traffic | None
    reachable: tuple[str, ...] = ()
    mode: KeyMode = KeyMode.PLAIN
    plugin: Plugin = field(init=False)

    def __post_init__(self) -> None:
        self.plugin = Plugin(start_guest(self.backend))
        text = configuration(self.name, self.direction, self.reachable, mode=self.mode)
        assert self.plugin.start(text), self.host.log_text()

    @property
    def host(self) -> Host:
        found = self.plugin.guest.host
        assert isinstance(found, Host)
        return found

    def receive(
        self,
        headers: Headers,
        port: int = 8080,
        peer: bytes = b"10.0.0.1:4711",
        *,
        request: Headers = REQUEST,
    ) -> Outcome:
        """Let a request come in on a port, over a new connection of `peer`."""
        with self.connection(port, peer) as connection:
            return self.receive_on(connection, headers, request)

    @contextmanager
    def connection(self, port: int, peer: bytes) -> Iterator[Connection]:
        """Open a connection; without a peer there is no network filter in front."""
        properties = self.host.properties
        properties[property_path("destination", "port")] = port.to_bytes(8, "little")
        properties[property_path("source", "address")] = peer
        connection: Connection = {}
        if not peer:
            yield connection
            return
        stream = self.plugin.open_connection(connection)
        assert stream.new_connection() == 0
        yield connection
        stream.finish()

    def receive_on(
        self, connection: Connection, headers: Headers, request: Headers = REQUEST
    ) -> Outcome:
        """Let a request come in; an HTTP filter sees a source that can be forged."""
        forged = property_path("source", "address")
        self.host.properties[forged] = b"1.2.3.4:0"
        return self.plugin.request(request + headers, connection=connection)

    def send(
        self, cluster: bytes, headers: Headers = (), *, request: Headers = REQUEST
    ) -> Outcome:
        self.host.properties[property_path("xds", "cluster_name")] = cluster
        return self.plugin.request(request + headers)


def reason(outcome: Outcome) -> str:
    """The reason code of a denial, or "allowed"."""
    if outcome.reaches_upstream:
        return "allowed"
    assert outcome.local_response is not None
    assert outcome.local_response.code == 403
    details = outcome.local_response.details.decode()
    return details.removeprefix("pepmesh_").partition(":")[0]


def rule(outcome: Outcome) -> str:
    """The rule that a denial names, or nothing."""
    assert outcome.local_response is not None
    return outcome.local_response.details.decode().partition(":")[2]

"""The product, applied to a model: the module, the keys, and a plugin per endpoint.

This is the two commands `pepmesh build` and `pepmesh keys bundle` as calls. The bundle
goes into the plugin configuration in clear, which is fit for a local run only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from e2e.mesh import Endpoint
from e2e.proxy import Plugin
from generator.analysis.engine import Engine
from generator.analysis.reach import reachable_targets
from generator.build import Built, build_mesh
from generator.overlay.bundle import Bundle, make_bundle
from generator.overlay.configuration import Endpoint as Facts
from generator.overlay.configuration import KeyMode, plugin_configuration
from generator.overlay.keys import (
    ADDRESS_HEADER,
    KEY_HEADER,
    epoch_of,
    key_header,
    pair_key,
    target_secret,
)
from generator.overlay.master_keys import MasterKeys, new_master_keys
from generator.overlay.model import Target, Workload
from generator.policy.model import Model

OVERLAY = "shop"
POD_NETWORK = IPv4Network("127.16.0.0/16")
"""Where only members live: see `addresses`."""


@dataclass(frozen=True)
class Enforcement:
    """A built overlay, its secrets, and the file that Envoys load."""

    built: Built
    master: MasterKeys
    module: Path
    _bundles: dict[int, Bundle] = field(  # of these keys: not taken by `replace`
        init=False, default_factory=dict, compare=False
    )

    @cached_property
    def engine(self) -> Engine:
        return Engine(self.built.module)

    def workload(self, endpoint: Endpoint) -> Workload:
        member = endpoint.member
        name = (member.namespace, member.name)
        return self.built.overlay.workloads_by_name[name][0]

    def target(self, host: str) -> Target:
        return next(t for t in self.built.overlay.targets if t.host == host)

    def bundle(self, endpoint: Endpoint) -> Bundle:
        """Return the keys of an endpoint's workload; asked for once per workload."""
        workload = self.workload(endpoint)
        if workload.id not in self._bundles:
            targets = reachable_targets(self.engine, workload.id)
            self._bundles[workload.id] = make_bundle(
                self.master, self.built.overlay, workload.id, targets
            )
        return self._bundles[workload.id]

    def plugin(
        self,
        endpoint: Endpoint,
        *,
        is_explicit: bool = False,
        key_mode: KeyMode = KeyMode.PLAIN,
    ) -> Plugin:
        """Return the filter as an endpoint's sidecar loads it.

        `is_explicit`: who the proxy speaks for is in the configuration, as it is for a
        proxy outside Kubernetes; otherwise the proxy's node metadata says it.
        """
        facts = self._facts(endpoint) if is_explicit else None
        configuration = plugin_configuration(
            self.bundle(endpoint), endpoint=facts, key_mode=key_mode
        )
        return Plugin(self.module, configuration, is_network_too=True)

    def _facts(self, endpoint: Endpoint) -> Facts:
        member = endpoint.member
        labels = tuple(sorted(member.labels.items()))
        address = IPv4Address(endpoint.address)
        return Facts(member.namespace, member.service_account, labels, address)

    def address_of(self, endpoint: Endpoint) -> str:
        """Return the value of an endpoint's address header."""
        workload = self.workload(endpoint)
        underlay = IPv4Address(endpoint.address)
        return self.built.overlay.address_of(workload, underlay).wire_text

    def key_for(self, endpoint: Endpoint, host: str, *, epochs_ago: int = 0) -> str:
        """Return the key header that an endpoint's sidecar would write for a host."""
        workload = self.workload(endpoint)
        overlay = self.built.overlay
        target = self.target(host)
        key = self.master.newest
        source = overlay.address_of(workload, IPv4Address(endpoint.address))
        secret = target_secret(key.secret, overlay.id, key.id, target.id)
        return key_header(
            pair_key(secret, source.packed[:12]),
            key_id=key.id,
            epoch=epoch_of(time.time()) - epochs_ago,
            source=source,
            target_id=target.id,
        )

    def headers(self, endpoint: Endpoint, host: str) -> list[tuple[str, str]]:
        """Return both overlay headers, as an endpoint's sidecar would write them."""
        return [
            (ADDRESS_HEADER, self.address_of(endpoint)),
            (KEY_HEADER, self.key_for(endpoint, host)),
        ]


def enforce(model: Model, folder: Path) -> Enforcement:
    """Build a model's module into `folder` and make fresh keys."""
    built = build_mesh(model, name=OVERLAY, member_cidrs=[POD_NETWORK])
    module = folder / "mesh.wasm"
    module.write_bytes(built.module)
    return Enforcement(built, new_master_keys(OVERLAY, built.overlay.id), module)


def enforce_next(model: Model, last: Enforcement, module: Path) -> Enforcement:
    """Build the next version of an overlay: same numbers, same keys, new rules."""
    built = build_mesh(model, last.built.lock, name=OVERLAY, member_cidrs=[POD_NETWORK])
    module.write_bytes(built.module)
    return Enforcement(built, last.master, module)

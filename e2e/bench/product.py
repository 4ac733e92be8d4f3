"""Pepmesh with N rules, as the sidecars of the benchmark load it.

Two modules of one overlay: with rules about flows, and with rules about requests. They
agree on numbers and keys, so that one request is good for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from e2e.bench.rules import (
    HOST,
    SERVER,
    RuleSet,
    client_name,
    flow_rules,
    model,
    request_rules,
)
from e2e.enforcement import POD_NETWORK, Enforcement
from e2e.mesh import Endpoint
from e2e.probe import Headers
from e2e.proxy import Plugin
from generator.build import build_mesh
from generator.overlay.configuration import KeyMode
from generator.overlay.keys import (
    ADDRESS_HEADER,
    KEY_HEADER,
    epoch_of,
    key_header,
    pair_key,
    target_secret,
)
from generator.overlay.master_keys import new_master_keys
from generator.policy.model import Model

OVERLAY: Final = "bench"


@dataclass(frozen=True)
class Product:
    """Rules, and what was built of them; `sender` is the address of who sends."""

    sender: str
    flow_rules: RuleSet
    request_rules: RuleSet
    flows: Enforcement
    requests: Enforcement
    model: Model

    def server(
        self,
        address: str,
        vm: str,
        *,
        has_requests: bool = False,
        is_strict: bool = False,
    ) -> Plugin:
        """Return the plugin of a sidecar of the server, which stands at an address."""
        product = self.requests if has_requests else self.flows
        return _plugin(product, self._endpoint(SERVER, address), vm, is_strict)

    def client(self, vm: str, *, is_strict: bool = False) -> Plugin:
        """Return the plugin of the sender's sidecar."""
        name = client_name(self.flow_rules.sender)
        return _plugin(self.flows, self._endpoint(name, self.sender), vm, is_strict)

    def stamp(self) -> Callable[[], Headers]:
        """Return what makes the overlay headers as the sender's sidecar would now."""
        name = client_name(self.flow_rules.sender)
        workload = self.flows.workload(self._endpoint(name, self.sender))
        overlay = self.flows.built.overlay
        source = overlay.address_of(workload, IPv4Address(self.sender))
        target = self.flows.target(HOST).id
        master = self.flows.master.newest
        secret = target_secret(master.secret, overlay.id, master.id, target)
        pair = pair_key(secret, source.packed[:12])

        def headers() -> Headers:
            now = epoch_of(time.time())
            key = key_header(
                pair, key_id=master.id, epoch=now, source=source, target_id=target
            )
            return [(ADDRESS_HEADER, source.wire_text), (KEY_HEADER, key)]

        return headers

    def _endpoint(self, name: str, address: str) -> Endpoint:
        member = next(m for m in self.model.members if m.name == name)
        return Endpoint(member, address, address)


def build_product(count: int, sender: str, folder: Path) -> Product:
    """Build both modules for `count` rules into `folder`."""
    flows = flow_rules(count)
    requests = request_rules(count, flows.sender)
    models = [model(rule_set, flows.clients) for rule_set in (flows, requests)]
    first = build_mesh(models[0], name=OVERLAY, member_cidrs=[POD_NETWORK])
    second = build_mesh(models[1], first.lock, name=OVERLAY, member_cidrs=[POD_NETWORK])
    master = new_master_keys(OVERLAY, first.overlay.id)
    made = []
    for name, built in (("flows", first), ("requests", second)):
        module = folder / f"{name}.wasm"
        module.write_bytes(built.module)
        made.append(Enforcement(built, master, module))
    return Product(sender, flows, requests, made[0], made[1], models[0])


def _plugin(
    product: Enforcement, endpoint: Endpoint, vm: str, is_strict: bool
) -> Plugin:
    mode = KeyMode.STRICT if is_strict else KeyMode.PLAIN
    plugin = product.plugin(endpoint, is_explicit=True, key_mode=mode)
    return replace(plugin, vm_id=vm)

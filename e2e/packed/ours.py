"""Our own cases (tests/data/conformance) as scenarios, where a sidecar sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from e2e.packed.others import NOT_TCP, SELF, from_connlist
from e2e.packed.scenario import Probe, Scenario, name_of, tally
from generator.policy.load import load_sources
from generator.policy.model import Model, Protocol
from generator.policy.oracle import Endpoint
from tests.conformance.judges import OracleJudge
from tests.conformance.own import NODES
from tests.conformance.own_cases import (
    CONNLIST,
    FOLDER,
    VECTORS,
    OwnProbe,
    case_names,
    manifest_files,
    read_own_states,
)
from tests.support.connlist import parse_connlist

OURS: Final = "ours"
IPV6: Final = "the loopback device has one IPv6 address"
NOT_HTTP: Final = "these listeners speak HTTP: a flow that is none has no probe"
TO_ADDRESS: Final = "what goes to an address needs interception of connections"
NO_PROXY: Final = "pods on the host network have no sidecar"

NODE_PROBE: Final = "192.0.2.30 -> shop/a TCP 8080"


def ours() -> Iterator[Scenario]:
    for case in case_names():
        if (FOLDER / case / CONNLIST).exists():
            yield _from_connlist(case)
        if (FOLDER / case / VECTORS).exists():
            yield from _from_vectors(case)


def _from_connlist(case: str) -> Scenario:
    model = load_sources(manifest_files(case)).model
    expected = parse_connlist((FOLDER / case / CONNLIST).read_text())
    return from_connlist(OURS, f"{case}-flows", model, expected)


def _from_vectors(case: str) -> Iterator[Scenario]:
    for state in read_own_states(case):
        model = state.loaded.model
        probes, reasons = [], []
        for own in state.probes:
            why_not = _why_not(model, own)
            if why_not:
                reasons.append(why_not)
            else:
                probes.append(_probe(model, own))
        yield Scenario(
            OURS,
            state.name,
            model,
            tuple(probes),
            tally(reasons, OURS),
        )


def _why_not(model: Model, probe: OwnProbe) -> str:
    """Say why a probe cannot be made here; empty if it can."""
    ends = probe.client, probe.server
    if probe.protocol is not Protocol.TCP:
        return NOT_TCP
    if any(_is_ipv6(end) or end in _only_ipv6(model) for end in ends):
        return IPV6
    if "/" not in probe.server:
        return TO_ADDRESS
    if probe.client == probe.server:
        return SELF
    if probe.request is None and _speaks_http(model):
        return NOT_HTTP
    if probe.server in _on_host_network(model):
        return NO_PROXY
    return NODES if str(probe) == NODE_PROBE else ""


def _speaks_http(model: Model) -> bool:
    return any(rule.http for policy in model.policies for rule in policy.rules)


def _is_ipv6(end: str) -> bool:
    name, _, address = end.partition("@")
    return ":" in address or ("/" not in name and ":" in name)


def _only_ipv6(model: Model) -> set[str]:
    return {
        name_of(m)
        for m in model.members
        if m.addresses and all(a.version == 6 for a in m.addresses)
    }


def _on_host_network(model: Model) -> dict[str, str]:
    return {name_of(m): str(m.addresses[0]) for m in model.members if m.host_network}


def _probe(model: Model, own: OwnProbe) -> Probe:
    client, server = (end.partition("@")[0] for end in (own.client, own.server))
    client = _on_host_network(model).get(client, client)
    kind, is_service, name = server.partition(":")
    if not is_service:
        return Probe(client, server, own.port, own.is_allowed, request=own.request)
    assert kind == "service"
    end, port = OracleJudge(model).behind(name, own.protocol, own.port)[0]
    assert isinstance(end, Endpoint)
    asked = name, own.port
    return Probe(client, name_of(end.member), port, own.is_allowed, asked, own.request)

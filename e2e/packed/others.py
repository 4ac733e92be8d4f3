"""Cases of others as scenarios: netpol-analyzer, network-policy-api, cyclonus.

What must come of a probe is what the expected file says. Where one has more pairs and
ports than there is time for, a sample with a fixed seed is taken: every destination,
port and verdict first, then others up to a limit.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from e2e.packed.scenario import (
    Pods,
    Probe,
    Scenario,
    name_of,
    one_name_each,
    tally,
)
from e2e.proxy import OUTBOUND_PORT
from generator.policy.model import Model, Protocol
from generator.policy.oracle_connections import Connection
from tests.conformance import cyclonus
from tests.conformance.netpol_analyzer import (
    as_netpol_analyzer,
    expected_cases,
    load_case,
)
from tests.support.connlist import read_connlist
from tests.support.vectors import member_of, read_states

LIMIT: Final = 40
"""Probes per case of netpol-analyzer."""

SOME_PORT: Final = 4321
LAST_PORT: Final = 65535

NOT_TCP: Final = "UDP and SCTP pass a sidecar by; their TCP consequences are in ours"
EXTERNAL: Final = "addresses of the internet are not on the loopback device"
SOME_POD: Final = "the file says that some pods may, and not which"
SAMPLED: Final = "left out of the sample"
BLOCKS_HOLD_PODS: Final = (
    "0.0.0.0/0 holds pods here, as Kubernetes and CNP conformance have it; the "
    "expected file says that it does not (SOURCES.md, convention 3)"
)
SELF: Final = "a pod's traffic to its own address does not leave the pod"
NOT_SERVED: Final = "the tool says nothing: no container serves TCP 82"

# Cases whose expected files rest on convention 3 for pairs of pods.
PODS_OUTSIDE_BLOCKS: Final = {"anp_and_banp_using_networks_test"}


def others() -> Iterator[Scenario]:
    yield from _analyzer()
    yield from _network_policy_api()
    yield _cyclonus()


# --- netpol-analyzer ------------------------------------------------------------------


def _analyzer() -> Iterator[Scenario]:
    for case in expected_cases():
        expected = read_connlist(case)
        model = as_netpol_analyzer(load_case(case).model)
        yield from_connlist("netpol-analyzer", case, model, expected)


def from_connlist(
    source: str, name: str, model: Model, expected: list[Connection]
) -> Scenario:
    """Make a scenario of a model and all flows that are allowed in it."""
    pods = one_name_each(model)
    every = list(_pairs(pods, expected))
    probes = [probe for probe in every if isinstance(probe, Probe)]
    reasons = [reason for reason in every if isinstance(reason, str)]
    reasons += [EXTERNAL for c in expected if not _is_between_pods(c)]
    if name in PODS_OUTSIDE_BLOCKS:
        chosen, reasons = [], reasons + [BLOCKS_HOLD_PODS] * len(probes)
    else:
        chosen = sample(probes, LIMIT, seed=name)
        reasons += [SAMPLED] * (len(probes) - len(chosen))
    tallied = tally(reasons, source)
    return Scenario(source, name, pods.model, tuple(chosen), tallied)


def _is_between_pods(connection: Connection) -> bool:
    return "/" in connection["source"] and "/" in connection["destination"]


def _pairs(pods: Pods, expected: list[Connection]) -> Iterator[Probe | str]:
    """Yield a probe per pair of pods and per port at which an answer may change.

    A line of the file says that some pod of an owner may reach some pod of another: an
    owner of several kinds of pods is asked about only where none may.
    """
    allowed = {
        (c["source"], c["destination"]): c["ports"]
        for c in expected
        if c["protocol"] == "TCP"
    }
    for destination, receivers in pods.names.items():
        ports = _boundaries(pods.model, expected, destination, receivers)
        for source, senders in pods.names.items():
            ends = [(s, r) for s in senders for r in receivers]
            spans = allowed.get((source, destination), [])
            for port in ports if source != destination else ():
                is_allowed = any(first <= port <= last for first, last in spans)
                if is_allowed and len(ends) > 1:
                    yield SOME_POD
                    continue
                for sender, receiver in ends:
                    yield Probe(sender, receiver, port, is_allowed)


def _boundaries(
    model: Model,
    expected: Iterable[Connection],
    destination: str,
    receivers: Iterable[str],
) -> list[int]:
    """Return ports on both sides of each boundary, of all protocols, asked in TCP."""
    ports = {SOME_PORT}
    for line in expected:
        if line["destination"] == destination:
            for first, last in line["ports"]:
                ports |= {first - 1, first, last, last + 1}
    for member in model.members:
        if name_of(member) in receivers:
            ports |= {declared.number for declared in member.ports}
    return sorted(p for p in ports if 1 <= p <= LAST_PORT and p != OUTBOUND_PORT)


def sample(probes: Iterable[Probe], limit: int, *, seed: str) -> list[Probe]:
    """Choose probes: one per destination, port and verdict, then others."""
    shuffled = list(probes)
    random.Random(seed).shuffle(shuffled)
    first: dict[tuple[str, int, bool], Probe] = {}
    rest = []
    for probe in shuffled:
        key = probe.destination, probe.port, probe.is_allowed
        if first.setdefault(key, probe) is not probe:
            rest.append(probe)
    return [*first.values(), *rest][:limit]


# --- network-policy-api ---------------------------------------------------------------


def _network_policy_api() -> Iterator[Scenario]:
    source = "network-policy-api"
    for state in read_states():
        probes, reasons = [], []
        for probe in state.probes:
            if probe.protocol is not Protocol.TCP:
                reasons.append(NOT_TCP)
                continue
            client, server = (
                name_of(member_of(state.model, end))
                for end in (probe.client, probe.server)
            )
            probes.append(Probe(client, server, probe.port, probe.is_allowed))
        name = f"{state.suite}-{state.number}"
        yield Scenario(source, name, state.model, tuple(probes), tally(reasons, source))


# --- cyclonus -------------------------------------------------------------------------


def _cyclonus() -> Scenario:
    """Its pods of namespace z have the addresses of those of y, so all get others."""
    loaded = cyclonus.load_cyclonus().model
    members = tuple(replace(member, addresses=()) for member in loaded.members)
    model = replace(loaded, members=members)
    combined = cyclonus.read_matrices()[2::3]
    probes, reasons = [], []
    for port, matrix in zip(cyclonus.PORTS, combined, strict=True):
        for (source, destination), cell in matrix.items():
            if cell not in ".X":
                reasons.append(NOT_SERVED)
            elif source == destination:
                reasons.append(SELF)
            else:
                probes.append(Probe(source, destination, port, cell == "."))
    return Scenario(
        "cyclonus", "cyclonus", model, tuple(probes), tally(reasons, "cyclonus")
    )

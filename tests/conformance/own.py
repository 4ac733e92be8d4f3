"""Our own cases, by oracle and module.

`LISTED` has the probes whose answers differ from what the API says, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

import yaml

from generator.policy.load import LoadError, load_sources
from generator.policy.model import IPAddress, Model
from generator.policy.oracle import End, Endpoint
from generator.policy.ties import find_ties
from tests.conformance.judges import JUDGES, Judge, difference
from tests.conformance.own_cases import (
    CONNLIST,
    FOLDER,
    REFUSED,
    VECTORS,
    OwnProbe,
    OwnState,
    case_names,
    manifest_files,
    read_own_states,
)
from tests.conformance.result import Outcome, Result
from tests.support.connlist import parse_connlist

FLOWS: Final = "ours: connectivity"
PROBES: Final = "ours: probes"
REFUSALS: Final = "ours: must refuse"

NODES: Final = (
    "manifests do not say which addresses nodes have, and traffic of a node is not "
    'told from other traffic. API: "Traffic to and from the node where a Pod is '
    'running is always allowed". Denied here, which is less access; kubelet probes do '
    "not need it, since Istio has them go to the agent's own port"
)
IPV6_BLOCK: Final = (
    "an overlay address holds an IPv6 underlay address as a hash, so no block matches "
    "a pod that has IPv6 only. API: whether ipBlock matches pods is left open, and "
    "ClusterNetworkPolicy has networks match them. Denied here, which is less access"
)
DUAL_STACK: Final = (
    "an overlay address holds one underlay address, IPv4 if there is one, and a pod's "
    "flows are judged by it whatever family carries them. API: each address is matched "
    "by its own family. On the wire such a connection is refused (source_elsewhere), "
    "since it comes from another address than the proof says"
)
# By judge and case: the probes that differ.
LISTED: Final = {
    ("module", "node-traffic"): ({"192.0.2.30 -> shop/a TCP 8080"}, NODES),
    ("oracle", "node-traffic"): ({"192.0.2.30 -> shop/a TCP 8080"}, NODES),
    ("module", "ipv6-only"): ({"shop/c -> shop/b TCP 8080"}, IPV6_BLOCK),
    ("module", "dual-stack"): (
        {
            "shop/b@2001:db8::b -> shop/a@2001:db8::a TCP 8080",
            "shop/b@2001:db8::b -> shop/c@2001:db8::c TCP 8080",
        },
        DUAL_STACK,
    ),
}


def jobs() -> list[str]:
    return case_names()


def run(job: str, judge: str) -> Iterator[Result]:
    folder = FOLDER / job
    if (folder / REFUSED).exists():
        yield _refused_result(job)
    if (folder / CONNLIST).exists():
        yield _flows_result(job, judge)
    if (folder / VECTORS).exists():
        for state in read_own_states(job):
            yield from _probe_results(state, judge)


def _refused_result(case: str) -> Result:
    expected = yaml.safe_load((FOLDER / case / REFUSED).read_text())
    try:
        found = find_ties(load_sources(manifest_files(case)).model)
    except LoadError as error:
        found = error.diagnostics
    errors = [d for d in found if d.severity == "error"]
    is_refused = [e.code for e in errors] == [expected["code"]] and all(
        expected["text"] in e.message and e.span is not None for e in errors
    )
    if is_refused:
        return Result(REFUSALS, case, Outcome.AGREES)
    return Result(REFUSALS, case, Outcome.FAILED, f"found {errors}")


def _flows_result(case: str, judge: str) -> Result:
    model = load_sources(manifest_files(case)).model
    expected = parse_connlist((FOLDER / case / CONNLIST).read_text())
    said = difference(JUDGES[judge](model).flows(), expected)
    return Result(FLOWS, case, Outcome.FAILED if said else Outcome.AGREES, said)


def _probe_results(state: OwnState, judge: str) -> Iterator[Result]:
    asked = JUDGES[judge](state.loaded.model)
    listed, reason = LISTED.get((judge, state.case), (set[str](), ""))
    assert not find_ties(state.loaded.model), state.name
    for probe in state.probes:
        name = f"{state.name}: {probe}"
        is_right = _ask(asked, state.loaded.model, probe) == probe.is_allowed
        if str(probe) in listed:
            outcome = Outcome.FAILED if is_right else Outcome.DIFFERS
            said = "listed as different, and is not" if is_right else reason
            yield Result(PROBES, name, outcome, said)
        elif is_right:
            yield Result(PROBES, name, Outcome.AGREES)
        else:
            said = f"expected {'allow' if probe.is_allowed else 'deny'}"
            yield Result(PROBES, name, Outcome.FAILED, said)


def _ask(judge: Judge, model: Model, probe: OwnProbe) -> bool:
    """Ask about a probe; of a Service, every endpoint behind it must be allowed."""
    source = find_end(model, probe.client)
    if probe.server.startswith("service:"):
        name = probe.server.removeprefix("service:")
        ends = judge.behind(name, probe.protocol, probe.port)
        assert ends, f"nothing is behind {probe.server} {probe.port}"
    else:
        ends = [(find_end(model, probe.server), probe.port)]
    return all(
        judge.answer(source, end, probe.protocol, port, probe.request).is_allowed
        for end, port in ends
    )


def find_end(model: Model, text: str) -> End:
    """Return what a probe calls `ns/name`, `ns/name@address`, or an address."""
    name, _, address = text.partition("@")
    if "/" not in name:
        return ip_address(name)
    (member,) = [m for m in model.members if f"{m.namespace}/{m.name}" == name]
    if address:
        assert ip_address(address) in member.addresses, text
        return Endpoint(member, ip_address(address))
    assert len(member.addresses) <= 1, f"{text} has several addresses: say which"
    known: IPAddress | None = member.addresses[0] if member.addresses else None
    return Endpoint(member, known)

"""One flow for three judges: the oracle, the filter under CPython, the filter as Wasm.

A `Case` is a model, built, and flows to ask about. The oracle reads the model and
shares no code with table, compiler and filter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from filters import decide as guest
from filters.decide import Verdict
from filters.http import Requests
from filters.lang import View
from filters.layout import NONE
from filters.party import Kind
from filters.party import Party as GuestParty
from filters.request import scan
from filters.running import running
from generator.analysis.engine import (
    Engine,
    Judgement,
    Party,
    address_party,
    request_pairs,
)
from generator.errors import OverlayError
from generator.overlay.address import OverlayAddress, instance_of
from generator.overlay.build import build_overlay
from generator.overlay.model import Overlay, Workload
from generator.policy.model import IPAddress, Model
from generator.policy.oracle import End, Endpoint, OracleDecision, decide
from generator.policy.request import HttpRequest
from generator.table.build import build_table
from generator.table.encode import encode_table
from generator.table.model import RuleTable
from generator.table.ports import key_of
from tests.support.manifests import to_text
from tests.support.overlay_strategies import OVERLAY_NAME
from tests.support.strategies import Flow

UNKNOWN: Final = Party(Kind.UNKNOWN, (0, 0, 0, 0))


@dataclass(frozen=True, repr=False)
class Case:
    """A model, built, and flows to ask about."""

    model: Model
    overlay: Overlay
    table: RuleTable
    data: bytes
    flows: tuple[Flow, ...] = ()

    def __repr__(self) -> str:
        """Say what a person needs to try it: the manifests, and who asks whom."""
        return "\n".join((to_text(self.model), *map(spell_flow, self.flows)))


def spell_flow(flow: Flow) -> str:
    ends = f"{spell_end(flow.source)} -> {spell_end(flow.destination)}"
    return f"{ends} {flow.protocol} {flow.port} {flow.request or ''}".rstrip()


def spell_end(end: End) -> str:
    if not isinstance(end, Endpoint):
        return str(end)
    return f"{end.member.namespace}/{end.member.name}@{end.address}"


def build_case(model: Model, flows: tuple[Flow, ...] = ()) -> Case:
    """Build a model. Raises: OverlayError where identities collide."""
    overlay, _, _ = build_overlay(model, None, name=OVERLAY_NAME)
    table = build_table(model, overlay)
    return Case(model, overlay, table, encode_table(table), flows)


@st.composite
def cases(
    draw: st.DrawFn,
    models: SearchStrategy[Model],
    flows: Callable[[Model], SearchStrategy[Flow]],
    max_flows: int = 30,
) -> Case:
    model = draw(models)
    try:
        case = build_case(model)
    except OverlayError as error:
        # Identities that collide are refused; that is tested elsewhere.
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        assert codes <= {"OVL0001", "OVL0002"}, error
        assume(False)
        raise
    asked = draw(st.lists(flows(model), min_size=1, max_size=max_flows))
    return replace(case, flows=tuple(asked))


# --- the oracle ----------------------------------------------------------------------


def ask_oracle(case: Case, flow: Flow, audited: bool = False) -> OracleDecision:
    """Ask the oracle about what the filter can see of a flow."""
    source, destination = flow.source, flow.destination
    if source != destination:
        source, destination = visible(case, source), visible(case, destination)
    return decide(
        case.model,
        source,
        destination,
        flow.protocol,
        flow.port,
        audit=audited,
        request=flow.request,
    )


def visible(case: Case, end: End) -> End:
    """What the filter can see of an end: an IPv6 instance is a hash, no address."""
    if not isinstance(end, Endpoint) or end.member.host_network:
        return end
    overlay = overlay_address(case, workload_of(case, end), end.address)
    is_seen = case.table.has_ipv4_instances and isinstance(end.address, IPv4Address)
    return Endpoint(end.member, end.address if is_seen else None, overlay)


# --- the filter ----------------------------------------------------------------------


def parties(case: Case, flow: Flow) -> tuple[Party, Party]:
    """Make both ends. An endpoint with addresses of both families goes by IPv4.

    So its IPv6 address does not tell which endpoint of its member it is, except to
    itself.
    """
    ends = flow.source, flow.destination
    if flow.source != flow.destination and case.table.has_ipv4_instances:
        ends = _without_ipv6(flow.source), _without_ipv6(flow.destination)
    return party_of(case, ends[0]), party_of(case, ends[1])


def _without_ipv6(end: End) -> End:
    if not isinstance(end, Endpoint) or end.member.host_network:
        return end
    return replace(end, address=None) if isinstance(end.address, IPv6Address) else end


def party_of(case: Case, end: End) -> Party:
    if not isinstance(end, Endpoint):
        return address_party(end)
    if end.member.host_network:
        return UNKNOWN if end.address is None else address_party(end.address)
    return member_party(case, workload_of(case, end), end.address)


def workload_of(case: Case, end: Endpoint) -> Workload:
    found = [w for w in case.overlay.workloads if end.member in w.members]
    assert len(found) == 1
    return found[0]


def overlay_address(
    case: Case, workload: Workload, address: IPAddress | None
) -> IPv6Address:
    instance = 0 if address is None else instance_of(address)
    numbers = case.overlay.id, workload.realm, workload.id, instance
    return IPv6Address(OverlayAddress(*numbers).packed)


def member_party(case: Case, workload: Workload, address: IPAddress | None) -> Party:
    packed = overlay_address(case, workload, address).packed
    first, second, third, fourth = (
        int.from_bytes(packed[i : i + 4], "big") for i in range(0, 16, 4)
    )
    return Party(Kind.MEMBER, (first, second, third, fourth))


def guest_party(party: Party) -> GuestParty:
    found = GuestParty()
    found.kind = party.kind
    found.word0, found.word1, found.word2, found.word3 = party.words
    return found


def carried(flow: Flow) -> HttpRequest | Requests:
    """What a flow carries, as the engine is told."""
    return Requests.NOT_HTTP if flow.request is None else flow.request


def ask_python(
    case: Case,
    flow: Flow,
    audited: bool = False,
    request: HttpRequest | Requests | None = None,
) -> Judgement:
    """Ask the filter's source under CPython; `request` stands in for the flow's."""
    answer = guest.Judgement()
    kind = carried(flow) if request is None else request
    pairs: View = b""
    if isinstance(kind, HttpRequest):
        pairs, kind = memoryview(request_pairs(kind)), Requests.GIVEN
    source, destination = map(guest_party, parties(case, flow))
    key = key_of(flow.protocol, flow.port)
    with running(None, {"table": case.data}):
        scan(pairs)
        guest.judge(source, destination, key, audited, kind, pairs, answer)
    return Judgement(
        Verdict(answer.egress),
        None if answer.egress_rule == NONE else answer.egress_rule,
        Verdict(answer.ingress),
        None if answer.ingress_rule == NONE else answer.ingress_rule,
        answer.last_key,
        answer.is_ambiguous,
    )


def ask_wasm(
    case: Case,
    engine: Engine,
    flow: Flow,
    audited: bool = False,
    request: HttpRequest | Requests | None = None,
) -> Judgement:
    """Ask the built module."""
    source, destination = parties(case, flow)
    return engine.judge(
        source,
        destination,
        key_of(flow.protocol, flow.port),
        audited=audited,
        request=carried(flow) if request is None else request,
    )

"""Oracle = filter on CPython = filter as Wasm, on random policies and flows.

The oracle reads the model and shares no code with table, compiler and filter. One
model is asked many flows, since building a module costs more than asking it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from filters import decide as guest
from filters.decide import Verdict
from filters.layout import NONE
from filters.running import running
from generator.analysis.engine import (
    Engine,
    Judgement,
    Party,
    address_party,
)
from generator.build import compile_filter
from generator.errors import OverlayError
from generator.overlay.address import OverlayAddress, instance_of
from generator.overlay.build import build_overlay
from generator.overlay.model import Overlay, Workload
from generator.policy.model import IPAddress, Model, Policy, Tier
from generator.policy.oracle import DirectionVerdict, End, Endpoint, decide
from generator.table.build import build_table
from generator.table.encode import encode_table
from generator.table.model import RuleTable
from generator.table.ports import key_of
from tests.support.strategies import EVERY_KIND, Flow, flows, models

UNKNOWN = Party(guest.Kind.UNKNOWN, (0, 0, 0, 0))


@dataclass(frozen=True)
class Case:
    """A model, built, and flows to ask about."""

    model: Model
    overlay: Overlay
    table: RuleTable
    data: bytes
    flows: tuple[Flow, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    model = draw(models(kinds=EVERY_KIND, audited=True))
    try:
        overlay, _, _ = build_overlay(model, None, name="fuzz")
    except OverlayError as error:
        # Identities that collide are refused; that is tested elsewhere.
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        assert codes <= {"OVL0001", "OVL0002"}, error
        assume(False)
        raise
    table = build_table(model, overlay)
    asked = draw(st.lists(flows(model), min_size=1, max_size=30))
    return Case(model, overlay, table, encode_table(table), tuple(asked))


# --- the same flow for both sides ----------------------------------------------------


def visible(case: Case, end: End) -> End:
    """What the filter can see of an end: an IPv6 instance is a hash, no address."""
    if not isinstance(end, Endpoint) or end.member.host_network:
        return end
    is_seen = case.table.has_ipv4_instances and isinstance(end.address, IPv4Address)
    return end if is_seen else Endpoint(end.member)


def party_of(case: Case, end: End) -> Party:
    if not isinstance(end, Endpoint):
        return address_party(end)
    if end.member.host_network:
        return UNKNOWN if end.address is None else address_party(end.address)
    workload = workload_of(case, end)
    return member_party(case, workload, end.address)


def workload_of(case: Case, end: Endpoint) -> Workload:
    found = [w for w in case.overlay.workloads if end.member in w.members]
    assert len(found) == 1
    return found[0]


def member_party(case: Case, workload: Workload, address: IPAddress | None) -> Party:
    instance = 0 if address is None else instance_of(address)
    packed = OverlayAddress(
        case.overlay.id, workload.realm, workload.id, instance
    ).packed
    first, second, third, fourth = (
        int.from_bytes(packed[i : i + 4], "big") for i in range(0, 16, 4)
    )
    return Party(guest.Kind.MEMBER, (first, second, third, fourth))


def expected(
    case: Case, flow: Flow, audited: bool
) -> tuple[DirectionVerdict, DirectionVerdict]:
    source, destination = flow.source, flow.destination
    if source != destination:
        source, destination = visible(case, source), visible(case, destination)
    decision = decide(
        case.model, source, destination, flow.protocol, flow.port, audit=audited
    )
    return decision.egress, decision.ingress


def is_self(flow: Flow) -> bool:
    return flow.source == flow.destination


# --- the comparison ------------------------------------------------------------------


def agree(
    case: Case, expects: DirectionVerdict, verdict: Verdict, rule: int | None
) -> None:
    """The verdict is the oracle's, and the rule is one that the oracle knows."""
    if verdict is Verdict.NO_MATCH:
        assert expects.allowed and expects.policy is None
        return
    assert expects.allowed == (verdict is Verdict.ALLOW)
    if rule is None:
        assert expects.policy is None
        return
    event(f"decided in {expects.tier!r}")
    row = case.table.rules[rule]
    policy = case.table.policies[row.policy]
    named = (policy.kind, policy.namespace, policy.name, row.number)
    if expects.tier is not Tier.NORMAL:
        assert expects.policy is not None and expects.rule is not None
        assert named == (*name_of(expects.policy), expects.rule.number)
    elif expects.allowed:
        assert named in {(*name_of(p), r.number) for p, r in expects.allowing}
    else:
        assert named in {(*name_of(p), None) for p in expects.isolating}


def name_of(policy: Policy) -> tuple[str, str, str]:
    return policy.kind, policy.namespace, policy.name


def check(case: Case, flow: Flow, judgement: Judgement, audited: bool) -> None:
    egress, ingress = expected(case, flow, audited)
    event("allowed" if judgement.is_allowed else "denied")
    agree(case, egress, judgement.egress, judgement.egress_rule)
    agree(case, ingress, judgement.ingress, judgement.ingress_rule)


def guest_party(case: Case, end: End) -> guest.Party:
    party, given_party = guest.Party(), party_of(case, end)
    party.kind = given_party.kind
    party.word0, party.word1, party.word2, party.word3 = given_party.words
    return party


def ask_python(case: Case, flow: Flow, audited: bool = False) -> Judgement:
    """Ask the filter's source under CPython."""
    answer = guest.Judgement()
    source, destination = (
        guest_party(case, flow.source),
        guest_party(case, flow.destination),
    )
    with running(None, {"table": case.data}):
        guest.judge(
            source, destination, key_of(flow.protocol, flow.port), audited, answer
        )
    return Judgement(
        Verdict(answer.egress),
        None if answer.egress_rule == NONE else answer.egress_rule,
        Verdict(answer.ingress),
        None if answer.ingress_rule == NONE else answer.ingress_rule,
        answer.last_key,
    )


@given(cases())
def test_python_agrees_with_the_oracle(case: Case) -> None:
    for flow in case.flows:
        for audited in (False, True):
            check(case, flow, ask_python(case, flow, audited), audited)


@settings(max_examples=max(5, settings().max_examples // 4))
@given(cases())
def test_wasm_agrees_with_python_and_oracle(case: Case) -> None:
    engine = Engine(compile_filter(case.data))
    assert engine.table == case.table
    for flow in case.flows:
        source, destination = (
            party_of(case, flow.source),
            party_of(case, flow.destination),
        )
        key = key_of(flow.protocol, flow.port)
        for audited in (False, True):
            judgement = engine.judge(source, destination, key, audited=audited)
            check(case, flow, judgement, audited)
            assert judgement == ask_python(case, flow, audited)


@given(cases())
def test_an_answer_holds_up_to_its_last_key(case: Case) -> None:
    """`last_key` lets tools ask about ranges: no port before it answers otherwise."""
    flow = case.flows[0]
    first = ask_python(case, flow)
    start = key_of(flow.protocol, flow.port)
    assert start <= first.last_key <= start | 0xFFFF
    for key in {start, (start + first.last_key) // 2, first.last_key}:
        again = ask_python(
            case, Flow(flow.source, flow.destination, flow.protocol, key & 0xFFFF)
        )
        assert again == first


@given(st.ip_addresses(v=6))
def test_ipv6_words_are_in_network_order(address: IPv6Address) -> None:
    words = address_party(address).words
    assert b"".join(word.to_bytes(4, "big") for word in words) == address.packed

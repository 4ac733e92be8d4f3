"""Oracle = filter on CPython = filter as Wasm, on random policies and flows.

The oracle reads the model and shares no code with table, compiler and filter. One
model is asked many flows, since building a module costs more than asking it. The tests
of `http` have models of their own: among policies of every kind the request decides
too rarely.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from hypothesis import event, given, settings
from hypothesis import strategies as st

from filters.decide import Verdict
from filters.http import Requests
from generator.analysis.engine import Engine, Judgement, address_party
from generator.build import compile_filter
from generator.policy.model import Policy, Tier
from generator.policy.oracle import DirectionVerdict, OracleDecision
from generator.table.ports import key_of
from tests.support.judging import Case, ask_oracle, ask_python, ask_wasm, cases
from tests.support.strategies import (
    EVERY_KIND,
    Flow,
    flows,
    http_flows,
    http_models,
    models,
)

FEW = settings(max_examples=max(5, settings().max_examples // 4))

any_cases = cases(models(kinds=EVERY_KIND, audited=True), flows)
http_cases = cases(http_models(), http_flows)


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


def check(case: Case, expects: OracleDecision, judgement: Judgement) -> None:
    agree(case, expects.egress, judgement.egress, judgement.egress_rule)
    agree(case, expects.ingress, judgement.ingress, judgement.ingress_rule)
    assert judgement.is_ambiguous == denier(expects).is_ambiguous


def denier(decision: OracleDecision) -> DirectionVerdict:
    """The direction that denies, the source's first; the last one if none does."""
    return decision.ingress if decision.egress.allowed else decision.egress


def tell(flow: Flow, decision: OracleDecision) -> None:
    """Say what kind of example this was: --hypothesis-show-statistics."""
    verdict = denier(decision)
    what = "plain" if flow.request is None else "HTTP"
    if verdict.is_ambiguous:
        how = "ambiguous"
    else:
        how = "allowed" if decision.allowed else "denied"
    tier = "no tier" if verdict.tier is None else verdict.tier.name
    event(f"{what}, {how}, {tier}")


def check_python(case: Case) -> None:
    for flow in case.flows:
        for audited in (False, True):
            expects = ask_oracle(case, flow, audited)
            tell(flow, expects)
            check(case, expects, ask_python(case, flow, audited))


def check_wasm(case: Case) -> None:
    engine = Engine(compile_filter(case.data))
    assert engine.table == case.table
    for flow in case.flows:
        for audited in (False, True):
            judgement = ask_wasm(case, engine, flow, audited)
            check(case, ask_oracle(case, flow, audited), judgement)
            assert judgement == ask_python(case, flow, audited)
        for requests in (Requests.SOME, Requests.EVERY):
            assert ask_wasm(case, engine, flow, request=requests) == ask_python(
                case, flow, request=requests
            )


@given(any_cases)
def test_python_agrees_with_the_oracle(case: Case) -> None:
    check_python(case)


@given(http_cases)
def test_python_agrees_with_the_oracle_about_requests(case: Case) -> None:
    check_python(case)


@FEW
@given(any_cases)
def test_wasm_agrees_with_python_and_oracle(case: Case) -> None:
    check_wasm(case)


@FEW
@given(http_cases)
def test_wasm_agrees_with_python_and_oracle_about_requests(case: Case) -> None:
    check_wasm(case)


# --- what follows from one answer -----------------------------------------------------


@given(any_cases | http_cases)
def test_an_answer_holds_up_to_its_last_key(case: Case) -> None:
    """`last_key` lets tools ask about ranges: no port before it answers otherwise."""
    flow = case.flows[0]
    for request in (None, Requests.SOME, Requests.EVERY):
        first = ask_python(case, flow, request=request)
        start = key_of(flow.protocol, flow.port)
        assert start <= first.last_key <= start | 0xFFFF
        for key in {start, (start + first.last_key) // 2, first.last_key}:
            there = Flow(
                flow.source,
                flow.destination,
                flow.protocol,
                key & 0xFFFF,
                flow.request,
            )
            assert ask_python(case, there, request=request) == first


@given(st.ip_addresses(v=6))
def test_ipv6_words_are_in_network_order(address: IPv6Address) -> None:
    words = address_party(address).words
    assert b"".join(word.to_bytes(4, "big") for word in words) == address.packed

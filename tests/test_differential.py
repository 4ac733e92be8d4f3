"""Oracle = filter on CPython = filter as Wasm, on random policies and flows.

The oracle reads the model and shares no code with table, compiler and filter. One
model is asked many flows, since building a module costs more than asking it. The tests
of `http` have models of their own: among policies of every kind the request decides
too rarely.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from filters.decide import Verdict
from filters.http import Requests
from filters.path import NORMAL, normalise
from generator.analysis.engine import Engine, Judgement, address_party
from generator.build import compile_filter
from generator.errors import OverlayError
from generator.policy.model import Policy, Tier
from generator.policy.oracle import DirectionVerdict, OracleDecision
from generator.policy.oracle_http import normal_form
from generator.policy.request import HttpRequest
from generator.table.ports import key_of
from tests.support.http_strategies import spellings, targets
from tests.support.judging import (
    Case,
    ask_oracle,
    ask_python,
    ask_wasm,
    build_case,
    cases,
)
from tests.support.overlay_strategies import overlay_rules
from tests.support.policy_strategies import rules
from tests.support.strategies import (
    EVERY_KIND,
    NETWORK_POLICY,
    Flow,
    flows,
    http_flows,
    http_models,
    models,
    path_flows,
    path_models,
)

FEW = settings(max_examples=max(5, settings().max_examples // 4))

any_cases = cases(models(kinds=EVERY_KIND, audited=True), flows)
http_cases = cases(http_models(), http_flows)
plain_cases = cases(models(kinds=EVERY_KIND[:4], audited=True), flows, max_flows=5)


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


# --- paths ----------------------------------------------------------------------------


@given(targets() | spellings())
def test_both_bring_paths_to_one_normal_form(target: str) -> None:
    expected = normal_form(target)
    event("ambiguous" if expected is None else "normal")
    assert filter_normal_form(target) == expected


def test_both_read_every_character_alike() -> None:
    """As it is and encoded, on its own, in a segment and beside dots."""
    plain = [chr(code) for code in range(0x80)]
    encoded = [f"%{code:02{digits}}" for code in range(0x100) for digits in "xX"]
    for character in plain + encoded:
        for place in ("/{}", "/a{}b/c", "/a/.{}", "/a/..{}/b", "/a{}/../b"):
            target = place.format(character)
            assert filter_normal_form(target) == normal_form(target), target


def filter_normal_form(target: str) -> str | None:
    is_clear, size = normalise(memoryview(target.encode()))
    return bytes(NORMAL[0:size]).decode() if is_clear else None


@given(cases(path_models(), path_flows))
def test_both_compare_paths_with_many_patterns(case: Case) -> None:
    check_python(case)


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


@given(http_cases)
def test_some_and_every_request_are_bounds(case: Case) -> None:
    """SOME is true if some request is allowed, and EVERY only if all of them are.

    Both are about requests that can be read in one way, and hold for each direction.
    """
    given = {flow.request for flow in case.flows if flow.request is not None}
    for flow in case.flows[:3]:
        some = ask_python(case, flow, request=Requests.SOME)
        every = ask_python(case, flow, request=Requests.EVERY)
        event(f"some: {some.is_allowed}, every: {every.is_allowed}")
        for request in given:
            one = ask_python(case, flow, request=request)
            if one.is_ambiguous:
                assert not one.is_allowed
                continue
            assert is_within(one, some)
            assert is_within(every, one)
        assert is_within(every, some)


def is_within(narrow: Judgement, wide: Judgement) -> bool:
    """Tell whether each direction that one answer allows, the other allows too."""
    return all(
        one is Verdict.DENY or two is not Verdict.DENY
        for one, two in (
            (narrow.egress, wide.egress),
            (narrow.ingress, wide.ingress),
        )
    )


@given(plain_cases)
def test_where_no_rule_asks_for_requests_they_change_nothing(case: Case) -> None:
    for flow in case.flows:
        plain = ask_python(case, flow, request=Requests.NOT_HTTP)
        for request in (HttpRequest(), Requests.SOME, Requests.EVERY):
            assert ask_python(case, flow, request=request) == plain


@st.composite
def widened(draw: st.DrawFn) -> tuple[Case, Case]:
    """Draw a case, and one with one rule more in a policy of the normal tier."""
    case = draw(st.one_of(http_cases, http_cases, any_cases))
    normal = [policy for policy in case.model.policies if policy.isolates]
    assume(normal)
    policy = draw(st.sampled_from(normal))
    direction = draw(st.sampled_from(sorted(policy.isolates)))
    number = sum(rule.direction is direction for rule in policy.rules)
    if policy.kind == NETWORK_POLICY:
        rule = draw(rules(direction, number))
    else:
        rule = draw(overlay_rules(Tier.NORMAL, policy.namespace, direction, number))
    wider = replace(policy, rules=(*policy.rules, rule))
    others = [each for each in case.model.policies if each is not policy]
    try:
        built = build_case(replace(case.model, policies=(*others, wider)))
    except OverlayError:
        assume(False)
        raise
    # Labels that only the new rule looks at may number the workloads anew.
    assume(built.overlay.workloads == case.overlay.workloads)
    return case, built


@given(widened())
def test_a_rule_more_in_the_normal_tier_never_takes_access_away(
    pair: tuple[Case, Case],
) -> None:
    """Whatever the rule: it accepts, and access is a union there."""
    case, wider = pair
    for flow in case.flows:
        for audited in (False, True):
            before = ask_python(case, flow, audited)
            after = ask_python(wider, flow, audited)
            event(f"{before.is_allowed} -> {after.is_allowed}")
            assert after.is_allowed or not before.is_allowed


@given(st.ip_addresses(v=6))
def test_ipv6_words_are_in_network_order(address: IPv6Address) -> None:
    words = address_party(address).words
    assert b"".join(word.to_bytes(4, "big") for word in words) == address.packed

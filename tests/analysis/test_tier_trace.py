"""The way through the tiers: it ends where the filter ends, on random meshes too."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings

from filters.decide import Verdict
from generator.analysis.endpoints import Endpoint
from generator.analysis.explain.flow_ends import Asked, EndSources, FlowEnd, end_of
from generator.analysis.explain.near_misses import find_near_misses
from generator.analysis.explain.speaking import Speaking
from generator.analysis.explain.tier_trace import Effect, walk
from generator.policy.model import Direction
from generator.policy.oracle import End
from generator.policy.oracle import Endpoint as OracleEndpoint
from generator.policy.request import HttpRequest
from tests.support.asking import tell
from tests.support.judging import Case, ask_python, cases, workload_of
from tests.support.meshes import deployment, namespace, policy
from tests.support.strategies import (
    EVERY_KIND,
    Flow,
    flows,
    http_flows,
    http_models,
    models,
)

FEW = settings(max_examples=max(5, settings().max_examples // 2))


# --- the walk ends where the filter ends ----------------------------------------------


def end_seen(case: Case, end: End) -> FlowEnd:
    sources = EndSources(case.model, case.overlay, case.table)
    if not isinstance(end, OracleEndpoint):
        return end_of("outside", Endpoint(None, end), None, sources)
    if end.member.host_network:
        return end_of("host", Endpoint(None, end.address), None, sources)
    number = workload_of(case, end).id
    (row,) = (row for row in case.table.workloads if row.id == number)
    return end_of("member", Endpoint(row, end.address), end.member, sources)


def check_sides(case: Case, flow: Flow) -> None:
    """Compare both directions: verdict, rule, and whether ambiguity is the reason."""
    judgement = ask_python(case, flow)
    speaking = Speaking(case.model)
    sender, receiver = end_seen(case, flow.source), end_seen(case, flow.destination)
    what = flow.protocol, flow.port, flow.request
    is_egress_denied = judgement.egress is Verdict.DENY
    for asked, verdict, rule, is_spoken_of in (
        (
            Asked(Direction.EGRESS, sender, receiver, *what),
            judgement.egress,
            judgement.egress_rule,
            is_egress_denied,
        ),
        (
            Asked(Direction.INGRESS, receiver, sender, *what),
            judgement.ingress,
            judgement.ingress_rule,
            not is_egress_denied,
        ),
    ):
        if verdict is Verdict.NO_MATCH:
            continue
        name = None if rule is None else case.table.rule_name(rule)
        trace = walk(speaking, asked)
        assert trace.ends_like(verdict is Verdict.ALLOW, name), trace
        if is_spoken_of:
            assert (trace.refusal is not None) == judgement.is_ambiguous
        event(f"{len(trace.steps)} steps, {trace.steps[-1].effect}")
        if verdict is Verdict.DENY:
            assert name is not None
            check_near_misses(case, speaking, asked, name)


def check_near_misses(
    case: Case, speaking: Speaking, asked: Asked, denied_by: str
) -> None:
    """Rules of this direction that could have let it through, and did not match."""
    places = {case.table.rule_name(i): i for i in range(len(case.table.rules))}
    found = find_near_misses(speaking, asked, denied_by)
    for near in found:
        rule = case.table.rules[places[near.rule]]
        assert near.misses and rule.direction is asked.direction
        assert near.place == case.table.rule_place(places[near.rule])
        assert places[near.rule] < places[denied_by] or denied_by.endswith("/default")
    event(f"{len(found)} near misses")


@FEW
@given(cases(models(kinds=EVERY_KIND, audited=True), flows))
def test_the_walk_ends_where_the_filter_ends(case: Case) -> None:
    for flow in case.flows:
        if flow.source != flow.destination:
            check_sides(case, flow)


@FEW
@given(cases(http_models(), http_flows))
def test_the_walk_of_a_request_ends_where_the_filter_ends(case: Case) -> None:
    for flow in case.flows:
        if flow.source != flow.destination:
            check_sides(case, flow)


# --- single points --------------------------------------------------------------------

MESH = (
    namespace() + namespace("pepmesh-system") + deployment("web") + deployment("cart")
)


def test_a_policy_without_rules_is_named_before_one_that_has_some() -> None:
    """It is there to deny, so it is what people look for, whatever its name."""
    denied = (
        policy("a", "{podSelector: {}, ingress: [{ports: [{port: 1}]}]}")
        + policy("b", "{podSelector: {}}")
        + policy("c", "{podSelector: {}}")
    )
    told = tell(MESH + denied, Direction.INGRESS, "shop/web", "shop/cart", 80)
    assert told.trace.rule == "NetworkPolicy/shop/b/ingress/default"
    assert [step.effect for step in told.trace.steps] == [
        Effect.NONE,
        Effect.ISOLATE,
        Effect.ISOLATE,
        Effect.ISOLATE,
    ]


ENTRIES = "[{headers: [{name: x-a, exact: b}]}, {methods: [GET]}]"


@pytest.mark.parametrize(
    "tier, effect",
    [
        # An entry that can be read in two ways counts before those behind it ...
        ("tier: Admin, priority: 1", Effect.AMBIGUOUS),
        ("tier: Baseline, priority: 1", Effect.AMBIGUOUS),
        # ... where rules are tried in order; elsewhere they only add.
        ("tier: Normal", Effect.ACCEPT),
    ],
)
def test_a_doubt_before_an_entry_that_holds(tier: str, effect: Effect) -> None:
    rules = f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: one, namespace: pepmesh-system}}
spec:
  {{{tier}, subject: {{namespaces: {{}}}}, ingress: [{{action: Accept,
  from: [{{namespaces: {{}}}}], http: {ENTRIES}}}]}}
---
"""
    request = HttpRequest(headers=(("x-a", "b"), ("x-a", "c")))
    flow = "shop/web", "shop/cart", 80, "TCP"
    told = tell(MESH + rules, Direction.INGRESS, *flow, request)
    assert effect in [step.effect for step in told.trace.steps]
    assert told.trace.is_allowed == (effect is Effect.ACCEPT)
    assert (told.trace.refusal is None) == (effect is Effect.ACCEPT)


def test_a_pass_leaves_its_tier() -> None:
    rules = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: one}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {action: Pass, from: [{namespaces: {}}]}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: two}
spec:
  tier: Admin
  priority: 2
  subject: {namespaces: {}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}]}
---
"""
    told = tell(MESH + rules, Direction.INGRESS, "shop/web", "shop/cart", 80)
    assert [(step.tier, step.effect) for step in told.trace.steps] == [
        ("Admin", Effect.PASS),
        ("Normal", Effect.NONE),
        ("Baseline", Effect.NONE),
        ("Default", Effect.ACCEPT),
    ]
    assert told.trace.steps[0].text == "ingress[0] passes, which leaves the tier"
    assert told.trace.is_allowed and told.trace.rule is None

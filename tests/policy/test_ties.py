"""Policies whose order the API leaves open are found, and only those."""

from __future__ import annotations

from hypothesis import given

from generator.policy.model import Model, Protocol, Tier
from generator.policy.oracle import endpoints
from generator.policy.oracle_rules import Question
from generator.policy.ties import find_ties
from tests.policy.test_oracle import model
from tests.policy.test_tiers import API, BANK, DENY_ALL, EVERYBODY, SHOP, cluster
from tests.support.strategies import EVERY_KIND, models

WEB = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}"
NODE = "{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: node}}}}"
BASELINE_ADMIN = (
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
    f"metadata: {{name: default}}\nspec: {{subject: {EVERYBODY}}}\n---\n"
)


def ties(*policies: str) -> list[str]:
    found = find_ties(model(*policies))
    assert {d.code for d in found} <= {"POL0041"}
    assert {d.severity for d in found} <= {"error"}
    assert all(d.span and d.notes[0].span for d in found)
    return [d.message for d in found]


def test_one_tier_and_priority_at_one_workload_is_a_tie() -> None:
    (message,) = ties(
        cluster(name="b", subject=WEB), cluster(name="a", subject=SHOP, audited=True)
    )
    assert message == (
        'ClusterNetworkPolicy "b" and ClusterNetworkPolicy "a" have tier Admin and '
        'priority 1, and both are about "shop/web"'
    )


def test_what_differs_or_does_not_meet_is_no_tie() -> None:
    shop = cluster(name="a", subject=SHOP)
    assert ties(shop, cluster(name="b", priority=2)) == []
    assert ties(shop, cluster(name="b", tier="Baseline")) == []
    assert ties(shop, cluster(name="b", subject=BANK)) == []
    assert ties(shop, DENY_ALL, DENY_ALL.replace("name: p", "name: q")) == []


def test_host_network_pods_are_no_meeting() -> None:
    assert ties(cluster(name="a", subject=NODE), cluster(name="b")) == []


def test_a_baseline_admin_policy_has_priority_0() -> None:
    same = cluster(name="a", tier="Baseline", priority=0)
    (message,) = ties(BASELINE_ADMIN, same)
    assert 'BaselineAdminNetworkPolicy "default"' in message
    assert ties(BASELINE_ADMIN, cluster(name="a", tier="Baseline")) == []


def test_neighbours_by_name_are_named_once() -> None:
    found = ties(*(cluster(name=name, subject=EVERYBODY) for name in "cabd"))
    assert [message.split('"')[1::2][:2] for message in sorted(found)] == [
        ["b", "a"],
        ["c", "b"],
        ["d", "c"],
    ]
    # Only workloads at which both are count: `b` is not about shop/web.
    found = ties(
        cluster(name="a", subject=WEB),
        cluster(name="b", subject=API),
        cluster(name="c", subject=WEB),
    )
    assert [message.split('"')[1::2][:2] for message in found] == [["c", "a"]]


@given(models(kinds=EVERY_KIND))
def test_there_is_a_tie_if_and_only_if_two_policies_meet(model: Model) -> None:
    """By the oracle's evaluation of subjects."""
    meetings = 0
    for member in model.members:
        end = endpoints(member)[0]
        question = Question(model, end, end, Protocol.TCP, 1, audit=True)
        for tier in (Tier.ADMIN, Tier.BASELINE):
            found = [policy.priority for policy in question.policies_of(tier, end)]
            meetings += len(found) - len(set(found))
    assert bool(find_ties(model)) == bool(meetings)

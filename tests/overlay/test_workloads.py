"""Members become workloads by what policy can tell apart, and nothing else."""

from __future__ import annotations

import hashlib

import pytest

from generator.errors import OverlayError
from generator.overlay.build import build_overlay
from generator.overlay.looks import find_looks
from generator.overlay.model import Identity, identity_bytes, identity_digest
from generator.overlay.workloads import Grouping, GroupingMemory, group_members
from generator.policy.model import (
    Direction,
    LabelSelector,
    Member,
    Model,
    Operator,
    Requirement,
)
from tests.overlay.shapes import (
    member,
    model,
    pods,
    policy,
    rule,
    selecting,
    selector,
)


def grouped(found: Model) -> Grouping:
    keys = find_looks(found.policies).label_keys
    return group_members(found, keys, "default", GroupingMemory())


def test_keys_come_from_subjects_and_pod_peers_of_all_operators() -> None:
    found = policy(
        "p",
        LabelSelector((Requirement("tier", Operator.DOES_NOT_EXIST),)),
        rules=(rule(Direction.EGRESS, peers=[pods(app="web"), pods(role=None)]),),
    )
    assert grouped(model(found)).label_keys == ("app", "role", "tier")


def test_labels_that_no_policy_selects_by_do_not_matter() -> None:
    one = member("one", {"app": "web", "pod-template-hash": "1"})
    two = member("two", {"app": "web", "pod-template-hash": "2"})
    groups = grouped(model(one, two, selecting("app"))).groups
    assert groups == {
        Identity("default", "shop", "default", (("app", "web"),)): (one, two)
    }


@pytest.mark.parametrize(
    "other",
    [
        member("two", {"app": "web"}, namespace="pay"),
        member("two", {"app": "web"}, account="robot"),
        member("two", {"app": "cart"}),
        member("two", {"app": ""}),  # an empty value is not an absent label
        member("two", {}),
    ],
)
def test_each_part_of_an_identity_splits(other: Member) -> None:
    found = model(member("one", {"app": "web"}), other, selecting("app"))
    assert len(grouped(found).groups) == 2


def test_host_network_members_are_left_out_and_named() -> None:
    found = model(member("web"), member("agent", host_network=True, line=4))
    overlay, _, warnings = build_overlay(found, None, name="shop")
    assert [m.name for m in overlay.left_out] == ["agent"]
    assert [t.name for t in overlay.targets] == ["web"]
    assert [w.code for w in warnings] == ["OVL0005"]
    assert 'Deployment "shop/agent"' in warnings[0].message
    assert str(warnings[0].span) == "shop.yaml:5:1"


def test_identity_bytes_are_spelled_as_the_filter_spells_them() -> None:
    labels = (("app", "web"), ("tier", ""))
    assert identity_bytes("shop", "robot", ()) == b"shop\0robot\0"
    assert identity_bytes("shop", "robot", labels) == b"shop\0robot\0app=web\0tier=\0"
    expected = hashlib.sha256(b"shop\0robot\0app=web\0tier=\0").digest()[:16]
    assert identity_digest("shop", "robot", labels) == expected


@pytest.mark.parametrize(
    "odd",
    [
        member("web", {"app": "a\0b=c"}, line=2),
        member("web", {"app": 'a"'}, line=2),
        member("web", {"app": "é"}, line=2),
        member("web", account="a b", line=2),
        member("web", namespace="a:b", line=2),
    ],
)
def test_names_outside_the_kubernetes_alphabet_are_refused(odd: Member) -> None:
    with pytest.raises(OverlayError, match="OVL0004") as caught:
        grouped(model(odd, selecting("app")))
    assert str(caught.value.diagnostics[0].span) == "shop.yaml:3:1"


def test_label_keys_outside_the_kubernetes_alphabet_are_refused() -> None:
    with pytest.raises(OverlayError, match="OVL0004"):
        grouped(model(policy("p", selector(**{"a=b": "c"}))))

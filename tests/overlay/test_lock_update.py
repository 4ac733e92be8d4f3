"""The lock never renumbers: rows stay, return, follow their members, stay revoked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import OverlayError
from generator.overlay.build import build_overlay
from generator.overlay.lock import Lock, RealmName, RealmRow, WorkloadRow, revoke
from generator.overlay.model import TargetKind
from generator.overlay.workloads import identity_of
from generator.policy.model import Member, Model, Service
from tests.overlay.shapes import member, model, selecting, service
from tests.overlay.strategies import models

WEB = member("web", {"app": "web", "tier": "front"})
WEB_BACK = member("web-back", {"app": "web", "tier": "back"})
CART = member("cart", {"app": "cart"})


def lock_of(found: Model, before: Lock | None = None) -> Lock:
    return build_overlay(found, before, name="shop")[1]


def rows(lock: Lock) -> dict[int, str]:
    """Say the workload rows in short."""
    flags = ((" retired", "retired"), (" revoked", "revoked"))
    return {
        row.id: " ".join(f"{k}={v}" for k, v in row.name.labels)
        + "".join(text for text, flag in flags if getattr(row, flag))
        for row in lock.workloads
    }


# --- numbers -----------------------------------------------------------------------


def test_new_ids_count_from_1_in_the_order_of_names() -> None:
    things: list[Member | Service] = [
        WEB,
        CART,
        member("z", namespace="pay"),
        service("web", {"app": "web"}),
    ]
    lock = lock_of(model(*things, selecting("app")))
    assert rows(lock) == {1: "app=z", 2: "app=cart", 3: "app=web"}
    assert {r.id: r.name.namespace for r in lock.realms} == {1: "pay", 2: "shop"}
    assert [(r.id, r.name.kind, r.name.name) for r in lock.targets] == [
        (1, TargetKind.SERVICE, "web"),
        (2, TargetKind.WORKLOAD, "z"),
        (3, TargetKind.WORKLOAD, "cart"),
        (4, TargetKind.WORKLOAD, "web"),
    ]
    assert lock_of(model(*reversed(things), selecting("app"))) == lock


def test_what_comes_later_is_numbered_later() -> None:
    first = lock_of(model(WEB, selecting("app")))
    second = lock_of(model(CART, WEB, selecting("app")), first)
    assert rows(second) == {1: "app=web", 2: "app=cart"}


def test_what_goes_is_retired_and_returns_as_it_was() -> None:
    first = lock_of(model(WEB, CART, selecting("app")))
    without = lock_of(model(WEB, selecting("app")), first)
    assert rows(without) == {1: "app=cart retired", 2: "app=web"}
    assert [row.retired for row in without.targets] == [True, False]
    assert lock_of(model(WEB, CART, selecting("app")), without) == first


def test_an_empty_build_does_not_renumber() -> None:
    first = lock_of(model(WEB, CART, selecting("app")))
    emptied = lock_of(model(), first)
    assert all(row.retired for row in emptied.realms)
    assert all(row.retired for row in emptied.workloads)
    assert lock_of(model(WEB, CART, selecting("app")), emptied) == first


def test_no_id_is_left() -> None:
    full = Lock("shop", 1, realms=(RealmRow(65535, RealmName("default", "old")),))
    with pytest.raises(OverlayError, match="OVL0006"):
        lock_of(model(WEB), full)


# --- label keys change -------------------------------------------------------------


def test_a_key_more_refines_a_row() -> None:
    first = lock_of(model(WEB, CART, selecting("app")))
    second = lock_of(model(WEB, CART, selecting("app", "tier")), first)
    assert rows(second) == {1: "app=cart", 2: "app=web tier=front"}


def test_a_key_less_projects_a_row() -> None:
    first = lock_of(model(WEB, CART, selecting("app", "tier")))
    second = lock_of(model(WEB, CART, selecting("app")), first)
    assert rows(second) == {1: "app=cart", 2: "app=web"}


def test_other_keys_follow_the_members() -> None:
    first = lock_of(model(WEB, CART, selecting("app")))
    second = lock_of(model(WEB, CART, selecting("tier")), first)
    assert rows(second) == {1: "", 2: "tier=front"}


def test_a_split_gives_new_ids_to_both_halves() -> None:
    first = lock_of(model(WEB, WEB_BACK, selecting("app")))
    second = lock_of(model(WEB, WEB_BACK, selecting("app", "tier")), first)
    assert rows(second) == {
        1: "app=web retired",
        2: "app=web tier=back",
        3: "app=web tier=front",
    }


def test_a_split_gives_a_new_id_to_a_half_of_the_same_spelling() -> None:
    plain = member("plain", {"app": "web"})
    first = lock_of(model(WEB, plain, selecting("app")))
    second = lock_of(model(WEB, plain, selecting("app", "tier")), first)
    assert rows(second) == {1: "app=web retired", 2: "app=web", 3: "app=web tier=front"}


def test_a_merge_gives_a_new_id() -> None:
    first = lock_of(model(WEB, WEB_BACK, selecting("tier")))
    second = lock_of(model(WEB, WEB_BACK, selecting("app")), first)
    assert rows(second) == {
        1: "tier=back retired",
        2: "tier=front retired",
        3: "app=web",
    }


def test_a_row_does_not_take_in_a_newcomer_when_keys_change() -> None:
    first = lock_of(model(WEB, selecting("tier")))
    second = lock_of(model(WEB, WEB_BACK, selecting("app")), first)
    assert rows(second) == {1: "tier=front retired", 2: "app=web"}


def test_a_row_is_not_given_to_another_workload_when_keys_change() -> None:
    first = lock_of(model(WEB, selecting("app")))
    second = lock_of(model(CART, selecting("tier")), first)
    assert rows(second) == {1: "app=web retired", 2: ""}


def test_the_newest_retired_row_of_a_name_returns() -> None:
    plain = member("plain", {"app": "web"})
    lock = lock_of(model(WEB, plain, selecting("app")))
    lock = lock_of(model(WEB, plain, selecting("app", "tier")), lock)
    lock = lock_of(model(selecting("app", "tier")), lock)
    lock = lock_of(model(plain, selecting("app", "tier")), lock)
    assert rows(lock) == {
        1: "app=web retired",
        2: "app=web",
        3: "app=web tier=front retired",
    }


# --- revoked -----------------------------------------------------------------------


def test_revoked_reaches_the_overlay_and_stays() -> None:
    lock = revoke(lock_of(model(WEB, CART, selecting("app"))), 2)
    overlay, lock, _ = build_overlay(
        model(WEB, CART, selecting("app", "tier")), lock, name="shop"
    )
    assert [w.revoked for w in overlay.workloads] == [False, True]
    lock = lock_of(model(), lock)
    lock = lock_of(model(WEB, CART, selecting("app", "tier")), lock)
    assert rows(lock) == {1: "app=cart", 2: "app=web tier=front revoked"}


def test_both_halves_of_a_revoked_workload_are_revoked() -> None:
    lock = revoke(lock_of(model(WEB, WEB_BACK, CART, selecting("app"))), 2)
    found = model(WEB, WEB_BACK, CART, selecting("app", "tier"))
    _, second, warnings = build_overlay(found, lock, name="shop")
    assert rows(second) == {
        1: "app=cart",
        2: "app=web retired revoked",
        3: "app=web tier=back revoked",
        4: "app=web tier=front revoked",
    }
    assert [w.code for w in warnings] == ["OVL0018", "OVL0018"]
    assert 'Deployment "shop/web-back" becomes workload 3' in warnings[0].message


def test_a_merge_with_a_revoked_workload_is_revoked() -> None:
    lock = revoke(lock_of(model(WEB, WEB_BACK, selecting("tier"))), 1)
    _, second, warnings = build_overlay(
        model(WEB, WEB_BACK, selecting("app")), lock, name="shop"
    )
    assert rows(second)[3] == "app=web revoked"
    assert [w.code for w in warnings] == ["OVL0018"]


def test_a_workload_that_was_not_revoked_does_not_become_so() -> None:
    lock = revoke(lock_of(model(WEB, CART, selecting("app"))), 2)
    _, second, warnings = build_overlay(
        model(CART, WEB_BACK, selecting("app", "tier")), lock, name="shop"
    )
    assert rows(second) == {1: "app=cart", 2: "app=web tier=back revoked"}
    assert not warnings


def test_revoking_an_unknown_workload_is_an_error() -> None:
    with pytest.raises(OverlayError, match="OVL0031"):
        revoke(lock_of(model(WEB)), 7)


# --- any history -------------------------------------------------------------------


def old_row(lock: Lock, found: Member) -> WorkloadRow | None:
    """Return the row in use that a member had under a lock's own label keys."""
    name = identity_of(found, frozenset(lock.label_keys), "default")
    live = (row for row in lock.workloads if not row.retired)
    return next((row for row in live if row.name == name), None)


def check_step(before: Lock, found: Model) -> Lock:
    """Check every promise of `update` over one step; return the new lock."""
    overlay, after, _ = build_overlay(found, before, name="shop")
    for name in ("realms", "workloads", "targets"):
        ids = [row.id for row in getattr(after, name)]
        assert ids == list(range(1, len(ids) + 1))
        assert {r.id for r in getattr(before, name)} <= set(ids)
    for section in ("realms", "targets"):
        old = {row.id: row.name for row in getattr(before, section)}
        new = {row.id: row.name for row in getattr(after, section)}
        assert old.items() <= new.items()
    old_rows = {row.id: row for row in before.workloads}
    for workload in overlay.workloads:
        olds = [old_row(before, m) for m in workload.members]
        known = old_rows.get(workload.id)
        if known and not known.retired:
            assert all(row is known for row in olds), "an id changed hands"
        assert workload.revoked or not any(row and row.revoked for row in olds)
    assert build_overlay(found, after, name="shop")[:2] == (overlay, after)
    return after


@given(st.lists(st.tuples(models(), st.integers(0, 9)), max_size=5))
def test_no_history_renumbers(history: list[tuple[Model, int]]) -> None:
    lock = Lock("shop", 1)
    for found, revoked in history:
        lock = check_step(lock, found)
        if any(row.id == revoked for row in lock.workloads):
            lock = revoke(lock, revoked)


@given(models(), models())
def test_a_row_in_use_keeps_its_id_if_the_keys_stay(one: Model, two: Model) -> None:
    two = replace(two, policies=one.policies)
    before = lock_of(one)
    after = {row.name: row.id for row in lock_of(two, before).workloads}
    assert {row.name: row.id for row in before.workloads}.items() <= after.items()

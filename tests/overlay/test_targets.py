"""What senders can name, and where its ports end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from generator.errors import Diagnostic, OverlayError
from generator.overlay.build import build_overlay
from generator.overlay.model import Overlay, Target, TargetKind
from generator.policy.model import (
    ContainerPort,
    Member,
    Policy,
    Protocol,
    Service,
)
from tests.overlay.shapes import member, model, ports, selecting, service

Thing = Member | Service | Policy


def build(*things: Thing) -> tuple[Overlay, Sequence[Diagnostic]]:
    overlay, _, warnings = build_overlay(model(*things), None, name="shop")
    return overlay, warnings


def service_of(overlay: Overlay) -> Target:
    (found,) = (t for t in overlay.targets if t.kind is TargetKind.SERVICE)
    return found


def names(overlay: Overlay, ids: Sequence[int]) -> list[str]:
    return [m.name for i in ids for m in overlay.workloads_by_id[i].members]


def backends(overlay: Overlay) -> list[tuple[int, str, int]]:
    """List (Service port, member, container port)."""
    return [
        (port.number, name, backend.port)
        for port in service_of(overlay).ports
        for backend in port.backends
        for name in names(overlay, [backend.workload_id])
    ]


def test_host_names() -> None:
    overlay, _ = build(member("web"), service("front", {"app": "web"}))
    assert sorted((t.kind, t.host) for t in overlay.targets) == [
        ("service", "front.shop.svc.cluster.local"),
        ("workload", "web.shop.workload.pepmesh"),
    ]


def test_a_service_selects_by_all_labels_of_a_member_in_its_namespace() -> None:
    overlay, _ = build(
        member("a", {"app": "a", "x": "1", "y": "2"}),
        member("b", {"app": "b", "x": "1"}),
        member("c", {"app": "c", "x": "1", "y": "2"}, namespace="pay"),
        member("d", {"app": "d", "x": "1", "y": "2"}, host_network=True),
        service("front", {"x": "1", "y": "2"}),
        selecting("app"),
    )
    assert names(overlay, service_of(overlay).workload_ids) == ["a"]
    assert backends(overlay) == [(80, "a", 8080)]


def test_target_ports_are_numbers_or_names_per_member() -> None:
    overlay, warnings = build(
        member("a", {"app": "a", "s": "s"}, declared=ports(http=8080)),
        member("b", {"app": "b", "s": "s"}, declared=ports(http=9090)),
        service("front", {"s": "s"}, {80: "http", 81: 7070}),
        selecting("app"),
    )
    assert backends(overlay) == [
        (80, "a", 8080),
        (80, "b", 9090),
        (81, "a", 7070),
        (81, "b", 7070),
    ]
    assert not warnings


def test_members_of_one_workload_may_resolve_a_service_port_differently() -> None:
    """No policy can see the name, so the target simply ends at both ports."""
    overlay, _ = build(
        member("a", {"s": "s"}, declared=ports(http=8080)),
        member("b", {"s": "s"}, declared=ports(http=9090)),
        service("front", {"s": "s"}, {80: "http"}),
    )
    (port,) = service_of(overlay).ports
    assert [(b.workload_id, b.port) for b in port.backends] == [(1, 8080), (1, 9090)]


def test_a_missing_named_port_is_left_out_with_a_warning() -> None:
    other = (ContainerPort("http", 53, Protocol.UDP),)
    overlay, warnings = build(
        member("a", {"app": "a", "s": "s"}, declared=ports(http=8080)),
        member("b", {"app": "b", "s": "s"}, declared=other, line=3),
        service("front", {"s": "s"}, {80: "http"}, line=8),
        selecting("app"),
    )
    assert backends(overlay) == [(80, "a", 8080)]
    assert names(overlay, service_of(overlay).workload_ids) == ["a", "b"]
    assert [w.code for w in warnings] == ["OVL0003"]
    assert str(warnings[0].span) == "shop.yaml:9:1"
    assert str(warnings[0].notes[0].span) == "shop.yaml:4:1"


@pytest.mark.parametrize("selector", [None, {}])
def test_a_service_without_selector_is_no_target(
    selector: dict[str, str] | None,
) -> None:
    overlay, _ = build(member("web"), service("front", selector))
    assert [t.name for t in overlay.targets] == ["web"]


def test_a_service_that_selects_nothing_is_a_target_without_backends() -> None:
    overlay, _ = build(member("web"), service("front", {"app": "gone"}))
    assert backends(overlay) == []
    assert service_of(overlay).workload_ids == ()


def test_a_workload_is_reached_directly_at_any_port() -> None:
    overlay, _ = build(member("web"))
    (target,) = overlay.targets
    assert (target.kind, target.ports) == (TargetKind.WORKLOAD, ())
    assert target.workload_ids == (1,)
    assert overlay.targets_by_workload == {1: (target,)}


def test_pods_of_one_owner_that_differ_are_one_target() -> None:
    overlay, _ = build(
        member("web", {"app": "web", "slot": "blue"}),
        member("web", {"app": "web", "slot": "green"}),
        selecting("slot"),
    )
    (target,) = overlay.targets
    assert target.workload_ids == (1, 2)
    assert [w.id for w in overlay.workloads_by_name["shop", "web"]] == [1, 2]


@pytest.mark.parametrize(
    "things",
    [
        (member("web", line=1), member("web", kind="StatefulSet", line=2)),
        (service("web", {"a": "b"}, line=1), service("web", {"c": "d"}, line=2)),
    ],
)
def test_two_targets_with_one_host_name_are_refused(
    things: tuple[Thing, ...],
) -> None:
    with pytest.raises(OverlayError, match="OVL0002") as caught:
        build(*things)
    (problem,) = caught.value.diagnostics
    spans = {str(problem.span), str(problem.notes[0].span)}
    assert spans == {"shop.yaml:2:1", "shop.yaml:3:1"}


def test_an_owner_that_cannot_be_a_host_name_is_refused() -> None:
    with pytest.raises(OverlayError, match="OVL0004"):
        build(member("we b", {}))

"""Cluster-wide policies above and below the shop's own, on real Envoys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.matrix import Observation, all_questions, observe
from e2e.mesh import Mesh
from e2e.shop_run import Shop, prepared_shop, running_shop

POLICIES = Path(__file__).with_name("tiers")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with prepared_shop(tmp_path_factory.mktemp("tiers"), POLICIES) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def mesh(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with running_shop(shop, tmp_path_factory.mktemp("mesh")) as running:
        yield running


@pytest.fixture(scope="module")
def matrix(shop: Shop, mesh: Mesh) -> list[Observation]:
    return observe(mesh, all_questions(mesh, shop.preferred_names), shop.answers)


def outcomes(matrix: list[Observation], source: str, destination: str) -> set[str]:
    """How `source` fared at `destination`: "allowed", or the rules that denied."""
    return {
        "allowed" if o.denial is None else o.denial.rule
        for o in matrix
        if (o.question.source.key, o.question.name.endpoint.key)
        == (source, destination)
    }


def test_every_flow_is_as_the_tiers_say(matrix: list[Observation]) -> None:
    assert [o for o in matrix if not o.is_as_expected] == []


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        # Admin denies before the payments team's policies are asked.
        (
            "ops/statsd",
            "payments/ledger",
            "ClusterNetworkPolicy/protect-payments/ingress/2",
        ),
        # Pass leaves it to them, and they allow.
        ("shop/cart", "payments/checkout", "allowed"),
        # A lower priority comes first: prometheus may scrape in payments, too.
        ("ops/prometheus", "payments/checkout", "allowed"),
        # No NetworkPolicy speaks about the status page, so Baseline does.
        (
            "ops/statsd",
            "ops/status-page",
            "ClusterNetworkPolicy/closed-by-default/ingress/0",
        ),
        ("ops/dns", "ops/status-page", "allowed"),
    ],
)
def test_the_deciding_tier_is_named(
    matrix: list[Observation], source: str, destination: str, expected: str
) -> None:
    found = outcomes(matrix, source, destination)
    assert any(expected in one for one in found), found


def test_audited_policies_are_logged_and_let_pass(
    mesh: Mesh, matrix: list[Observation]
) -> None:
    assert outcomes(matrix, "ops/dns", "ops/status-page") == {"allowed"}
    rules = {entry.rule for entry in mesh.envoys["ops/dns"].access_log()}
    assert "audit:NetworkPolicy/ops/tomorrow/ingress/default" in rules

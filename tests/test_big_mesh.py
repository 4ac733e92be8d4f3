"""The meshes that builds are measured with are meshes, and always the same."""

from __future__ import annotations

from collections import Counter

from e2e.bench.big_mesh import Size, manifests
from e2e.bench.build_bench import measure
from generator.policy.ties import find_ties
from tests.support.loading import load_text


def test_same_seed_same_text() -> None:
    assert manifests(Size(3)) == manifests(Size(3))
    assert manifests(Size(3)) != manifests(Size(3, seed=2))


def test_it_loads_without_complaint() -> None:
    loaded = load_text(manifests(Size(6)))
    assert [d for d in loaded.diagnostics if d.severity != "info"] == []
    assert find_ties(loaded.model) == ()
    kinds = Counter(policy.kind for policy in loaded.model.policies)
    assert len(loaded.model.members) == 60
    assert kinds["NetworkPolicy"] + kinds["OverlayPolicy"] == 60
    assert min(kinds["OverlayPolicy"], kinds["ClusterNetworkPolicy"]) > 0


def test_a_size_is_measured() -> None:
    cost = measure(1)
    assert (cost.workloads, cost.policies) == (10, 12)
    assert cost.table_bytes > 0 and cost.peak_kib > 0
    assert cost.row().count("|") == 9

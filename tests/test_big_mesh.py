"""The meshes that builds are measured with are meshes, and always the same."""

from __future__ import annotations

from collections import Counter

from e2e.bench.big_mesh import Size, big_mesh
from e2e.bench.build_bench import measure
from generator.policy.load import load_sources
from generator.policy.ties import find_ties


def test_same_seed_same_text() -> None:
    assert big_mesh(Size(3)) == big_mesh(Size(3))
    assert big_mesh(Size(3)) != big_mesh(Size(3, seed=2))


def test_it_loads_without_complaint() -> None:
    loaded = load_sources(big_mesh(Size(6)))
    assert [d for d in loaded.diagnostics if d.severity != "info"] == []
    assert find_ties(loaded.model) == ()
    kinds = Counter(policy.kind for policy in loaded.model.policies)
    assert len(loaded.model.members) == 60
    assert kinds["NetworkPolicy"] + kinds["OverlayPolicy"] == 60
    assert min(kinds["OverlayPolicy"], kinds["ClusterNetworkPolicy"]) > 0


def test_an_application_is_the_same_in_every_stage() -> None:
    loaded = load_sources(big_mesh(Size(4))).model
    names = {
        namespace: {m.name for m in loaded.members if m.namespace == namespace}
        for namespace in ("accounts-core-prod", "accounts-core-dev")
    }
    assert names["accounts-core-prod"] == names["accounts-core-dev"]


def test_a_size_is_measured() -> None:
    cost = measure(1)
    assert (cost.workloads, cost.policies) == (10, 15)
    assert cost.table_bytes > 0 and cost.peak_kib > 0
    assert cost.row().count("|") == 9

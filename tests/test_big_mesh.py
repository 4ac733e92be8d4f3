"""The meshes that builds are measured with are meshes, and always the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from e2e.bench.big_mesh import Size, big_mesh
from e2e.bench.build_bench import budgets, measure_mesh, plots, tables
from e2e.bench.edits import EDITS
from generator.build import build_mesh
from generator.policy.load import load_model, load_sources
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


def test_files_have_names_of_their_own() -> None:
    names = [source.name for source in big_mesh(Size(3))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_the_table_of_its_namespace(name: str, tmp_path: Path) -> None:
    def table() -> bytes:
        paths = [str(tmp_path)]
        return build_mesh(load_model(paths).model).table_bytes

    for source in big_mesh(Size(2)):
        (tmp_path / source.name).write_text(source.text)
    before = table()
    EDITS[name](tmp_path / "accounts-core-prod.yaml")
    assert table() != before


def test_a_size_is_measured() -> None:
    mesh = measure_mesh(2)
    assert (mesh["workloads"], mesh["policies"]) == (20, 26)
    assert min(mesh["wall_s"], mesh["peak_bytes"], *mesh["edits_s"].values()) > 0
    record = {"meshes": [mesh]}
    for table in tables(record):
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert budgets(record) == []
    seconds = {"wall_s": 11.0, "edits_s": {"port": 1.0, "label": 2.0, "policy": 2.1}}
    large = {**mesh, **seconds, "workloads": 10_000, "peak_bytes": 1 << 30}
    found = budgets({"meshes": [large]})
    assert [budget.is_met for budget in found] == [False, True, True, True, False]
    assert plots(record)

"""What decisions are measured with is what it says, and its work is flat."""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address
from math import log2
from typing import Final

import pytest

from e2e.bench.decision_bench import (
    build,
    count_instructions,
    measure_shapes,
    module_of,
)
from e2e.bench.decision_cases import SHAPES, Case, Question, Shape
from e2e.bench.decision_guest import DecisionGuest
from e2e.bench.decision_report import MOST, PART
from e2e.bench.questions import ALL_AT, FEW_AT, RING
from e2e.bench.results import Lines
from e2e.bench.rule_meshes import Name
from generator.policy.model import Model
from generator.policy.oracle import End, Endpoint, decide

CASES: Final = [(shape, case) for shape in SHAPES for case in shape.cases]
NAMES: Final = [f"{shape.name}: {case.name}" for shape, case in CASES]

STEPS: Final = {
    "one workload, by address range": 1,
    "one workload, by port": log2(1000 / 10),
}
"""Search steps that 1,000 rules may take more than 10: one where an index leads to a
row or two, all of them where keys are so crowded that it does not."""

HALVING: Final = 80
"""Wasm instructions that one step of such a search may take."""


built = cache(build)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_mesh_has_the_rules_that_it_is_said_to_have(shape: Shape) -> None:
    model = shape.model(40)
    rules = [(p.name, rule) for p in model.policies for rule in p.rules]
    assert len(set(rules)) == len(rules) == 40


@pytest.mark.parametrize(("shape", "case"), CASES, ids=NAMES)
def test_the_oracle_knows_the_same_answers(shape: Shape, case: Case) -> None:
    model = shape.model(40)
    for number in range(40):
        assert answer(model, case.about(number)) == case.is_allowed, number


def answer(model: Model, asked: Question) -> bool:
    ends = end(model, asked.source), end(model, asked.destination)
    flow = (*ends, asked.protocol, asked.port)
    return decide(model, *flow, request=asked.request).allowed


def end(model: Model, name: Name | IPv4Address) -> End:
    if isinstance(name, IPv4Address):
        return name
    (found,) = (m for m in model.members if (m.namespace, m.name) == name)
    return Endpoint(found)


@pytest.mark.parametrize(("shape", "case"), CASES, ids=NAMES)
def test_the_guest_answers_like_that_in_both_rings(shape: Shape, case: Case) -> None:
    guest = DecisionGuest(module_of(built(shape, 10), case, 10))
    for first in (FEW_AT, ALL_AT):
        assert guest.allowed(first, RING) == (RING if case.is_allowed else 0)


@pytest.mark.parametrize(("shape", "case"), CASES, ids=NAMES)
def test_a_hundred_times_the_rules_are_no_more_work(shape: Shape, case: Case) -> None:
    few, many = (
        count_instructions(module_of(built(shape, rules), case, rules))
        for rules in (10, 1000)
    )
    assert many <= MOST * few + HALVING * STEPS.get(shape.name, 0)


def test_what_is_measured_is_told() -> None:
    shape = SHAPES[0]
    found = measure_shapes((shape,), sizes=(10, 20), rounds=2)
    assert [case["case"] for case in found["cases"]] == [c.name for c in shape.cases]
    for case in found["cases"]:
        assert [size["rules"] for size in case["sizes"]] == [10, 20]
        assert all(size["few_ns"]["count"] == 2 for size in case["sizes"])
    for table in PART.tables(found):
        assert [len(row) for row in table.rows] == [4] * len(shape.cases)
    for plot in PART.plots(found):
        assert isinstance(plot, Lines)
        assert len(plot.series) == len(shape.cases)


@pytest.mark.parametrize(("ratio", "is_met"), [(1.2, True), (1.21, False)])
def test_a_decision_that_is_not_flat_misses_its_budget(
    ratio: float, is_met: bool
) -> None:
    sizes = [
        {"instructions": r, "few_ratio": {"median": r}, "all_ratio": {"median": r}}
        for r in (1, ratio)
    ]
    found = PART.budgets({"sizes": [10, 100], "cases": [{"sizes": sizes}]})
    assert len(found) == 3
    for budget in found:
        assert budget.is_met == is_met
        assert budget.measured.startswith(f"{ratio:.2f}x")

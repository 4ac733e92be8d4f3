"""A build with a memory gives what a build without one gives."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import IPv4Network
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.bench.big_mesh import Size, big_mesh
from generator.build import Built, Memory, build_mesh
from generator.errors import OverlayError, ToolError
from generator.memory import Attached, Kept, Last, Rounds, Same
from generator.overlay import targets, workloads
from generator.overlay.lock import Lock, revoke
from generator.overlay.lock_writer import LockTextMemory, write_lock
from generator.policy import members
from generator.policy.load import load_sources
from generator.policy.model import Direction, PodFacts, PodPeer
from generator.source import SourceFile
from generator.table import packing, rules, selections, subjects
from tests.overlay.shapes import member, model, policy, ports, rule, selector
from tests.support.edits import FAULT, PLACES, sources_of

MEMBER_CIDRS = [IPv4Network("10.1.0.0/16")]
Mesh = tuple[int, ...]
"""What is chosen at each place of a mesh."""
PLAIN: Mesh = (0,) * len(PLACES)


class Builds:
    """Builds of the same files and lock, with a memory and without one."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.lock: Lock | None = None
        self.texts = LockTextMemory()

    def check(self, mesh: Mesh) -> bool:
        """Build twice, and go on with the lock; return whether it was possible."""
        found, fresh = self._build(mesh, self.memory), self._build(mesh, Memory())
        if isinstance(fresh, ToolError) or isinstance(found, ToolError):
            assert isinstance(fresh, ToolError) and isinstance(found, ToolError)
            assert found.diagnostics == fresh.diagnostics
            return False
        assert found.module == fresh.module
        assert found.table == fresh.table
        assert (found.lock, found.overlay) == (fresh.lock, fresh.overlay)
        assert found.diagnostics == fresh.diagnostics
        assert facts_of(found) == facts_of(fresh)
        assert write_lock(found.lock, self.texts) == write_lock(fresh.lock)
        self.lock = found.lock
        return True

    def _build(self, mesh: Mesh, memory: Memory) -> Built | ToolError:
        try:
            model = load_sources(sources_of(mesh), memory=memory.load).model
            return build_mesh(
                model, self.lock, member_cidrs=MEMBER_CIDRS, memory=memory
            )
        except ToolError as error:
            return error


def facts_of(built: Built) -> list[object]:
    """What comparisons of members leave out."""
    return [m.facts for w in built.overlay.workloads for m in w.members]


@st.composite
def edits(draw: st.DrawFn) -> tuple[int, int]:
    """Draw a place, and what shall stand there."""
    place = draw(st.integers(0, len(PLACES) - 1))
    return place, draw(st.integers(0, len(PLACES[place].choices) - 1))


def edited(mesh: Mesh, place: int, choice: int) -> Mesh:
    return (*mesh[:place], choice, *mesh[place + 1 :])


@settings(max_examples=30)
@given(st.lists(edits(), max_size=8), st.lists(edits(), min_size=1, max_size=8))
def test_same_as_without(
    start: list[tuple[int, int]], steps: list[tuple[int, int]]
) -> None:
    # A module follows from its table, and takes longer than all the rest.
    with mock.patch("generator.build.compile_filter", lambda table, _: table):
        check_edits(start, steps)


def check_edits(start: list[tuple[int, int]], steps: list[tuple[int, int]]) -> None:
    """Each edit is made, undone, and made again; it stays if nothing is wrong."""
    mesh, builds = PLAIN, Builds()
    for edit in start:
        mesh = edited(mesh, *edit)
    builds.check(mesh)
    for number, edit in enumerate(steps):
        new = edited(mesh, *edit)
        is_good = builds.check(new)
        builds.check(mesh)
        mesh = new if builds.check(new) and is_good else mesh
        if builds.lock and number % 3 == 2:
            row = builds.lock.workloads[number % len(builds.lock.workloads)]
            builds.lock = revoke(builds.lock, row.id)


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_every_choice(place: int) -> None:
    """All that may stand at a place, one after the other."""
    with mock.patch("generator.build.compile_filter", lambda table, _: table):
        builds = Builds()
        for choice in (*range(len(PLACES[place].choices)), 0):
            builds.check(edited(PLAIN, place, choice))


def test_errors_are_found_and_forgotten() -> None:
    builds = Builds()
    faults = [
        edited(PLAIN, number, choice)
        for number, place in enumerate(PLACES)
        for choice, document in enumerate(place.choices)
        if place.file == "red" and (document == FAULT or "extra" in document)
    ]
    assert len(faults) == 2
    for mesh in faults:
        assert builds.check(PLAIN)
        assert not builds.check(mesh) and not builds.check(mesh)
    assert builds.check(PLAIN)


def test_an_overlay_follows_the_labels_of_namespaces() -> None:
    """They say whose ports a policy sees, which equal labels must not hide."""
    members = [
        member(name, {"app": "web"}, declared=ports(http=number))
        for name, number in (("one", 8080), ("two", 9090))
    ]
    peer = PodPeer(selector(app="web"), selector(team="a"))
    seeing = rule(Direction.EGRESS, named="http", peers=(peer,))
    memory = Memory()
    for team, is_seen in (("b", False), ("a", True), ("b", False)):
        found = model(
            *members, policy("p", rules=(seeing,)), namespaces={"shop": {"team": team}}
        )
        with pytest.raises(OverlayError, match="OVL0001") if is_seen else nullcontext():
            build_mesh(found, memory=memory)


def test_an_overlay_has_the_newest_facts_of_its_members() -> None:
    memory = Memory()
    for number in (15020, 15021):
        facts = PodFacts(probes=(f"port {number}",))
        web = replace(member("web", {"app": "web"}), facts=facts)
        built = build_mesh(model(web), memory=memory)
        assert facts_of(built) == [facts]


def test_what_an_edit_does_not_touch_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The equality of results would not tell that a memory remembers nothing."""
    made: Counter[str] = Counter()

    def count(module: object, name: str) -> None:
        function = getattr(module, name)

        def counted(*given: object) -> object:
            made[name] += 1
            return function(*given)

        monkeypatch.setattr(module, name, counted)

    sources = list(big_mesh(Size(6)))
    memory = Memory()

    def build() -> Built:
        model = load_sources(sources, memory=memory.load).model
        return build_mesh(model, lock, memory=memory)

    lock = None
    lock = build().lock
    assert build().lock == lock  # the first one that has a lock
    count(members, "_make")
    count(workloads, "_group")
    count(targets, "_find")
    count(rules, "read_statements")
    count(selections, "_pick")
    count(subjects, "make_draft")
    count(packing, "pack_rows")
    build()
    assert not made
    place = next(n for n, s in enumerate(sources) if "- port: 443\n" in s.text)
    text = sources[place].text.replace("- port: 443\n", "- port: 8443\n", 1)
    sources[place] = SourceFile(sources[place].name, text)
    build()
    assert made["_make"] == 1 and made["read_statements"] == 10
    assert 0 < made["make_draft"] <= 20 and 0 < made["pack_rows"] <= 3
    assert not made["_group"] + made["_find"]


def test_rounds_forget_what_is_not_asked_for() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    rounds: Rounds[str, str] = Rounds()
    for asked in (["a", "b", "a"], ["a"], ["a", "b"]):
        rounds.start()
        assert [rounds.get(key, make) for key in asked] == [k.upper() for k in asked]
    assert made == ["a", "b", "b"]


@pytest.mark.parametrize("other, count", [(1, 1), (2, 2)])
def test_last_is_kept_while_inputs_are_equal(other: int, count: int) -> None:
    calls: list[str] = []

    def make() -> str:
        calls.append("call")
        return "value"

    last: Last[str] = Last()
    assert last.get([1], make) == last.get([other], make) == "value"
    assert len(calls) == count


def test_kept_by_name_while_what_it_is_made_of_is_equal() -> None:
    made: list[list[int]] = []

    def make(numbers: list[int]) -> int:
        made.append(numbers)
        return sum(numbers)

    kept: Kept[str, list[int], int] = Kept()
    for numbers in ([1, 2], [1, 2], [3], [3], [1, 2]):
        kept.start()
        assert kept.get("a", numbers, make) == sum(numbers)
        assert kept.get("b", [0], make) == 0
    assert made == [[1, 2], [0], [3], [1, 2]]


def test_attached_to_the_very_same_object() -> None:
    made: list[object] = []

    def make(numbers: list[int]) -> int:
        made.append(numbers)
        return sum(numbers)

    attached: Attached[list[int], int] = Attached()
    one, equal = [1, 2], [1, 2]
    for numbers in (one, one, equal, one):
        assert attached.get_all([numbers, numbers], make) == [3, 3]
    # Each round forgets the other object.
    assert [numbers is one for numbers in made] == [True, False, True]


def test_same_objects() -> None:
    one, equal = [1], [1]
    assert Same([one]) == Same((one,)) and Same([one]) != Same([equal])
    assert Same([one]) != Same([one, one]) and Same([]) == Same([])

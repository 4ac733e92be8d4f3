"""`diff` against two simulations and single questions, for random policies.

Building is what takes time, so that each pair is built once for all that must hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from filters.http import Requests
from generator.analysis.allowed import party_of
from generator.analysis.diff.access import Level
from generator.analysis.diff.changes import Change
from generator.analysis.diff.diff import Difference, compare
from generator.analysis.diff.groups import Group, make_groups, make_sections
from generator.analysis.diff.sides import Side, mesh_side
from generator.analysis.endpoints import find_owners, owner_name
from generator.analysis.engine import Engine
from generator.analysis.simulate.simulation import Connection, simulate
from generator.build import build_mesh
from generator.errors import OverlayError
from generator.policy.model import Member, Model, Protocol
from generator.policy.oracle import Endpoint
from generator.policy.request import HttpRequest
from generator.table.ports import key_of
from tests.support.strategies import EVERY_KIND, Flow, http_flows, http_models, models

FEW: Final = max(5, settings().max_examples // 10)

Point = tuple[str, str, int]
"""Who to whom, on which key; who has no name is an address."""


def side_of(model: Model) -> Side:
    try:
        built = build_mesh(model)
    except OverlayError:
        assume(False)
        raise
    return mesh_side("side", Engine(built.module), built.overlay)


def with_policies(model: Model, other: Model) -> Model:
    """The inventory of one model with the policies of another."""
    spaces = {**other.namespaces, **model.namespaces}
    return Model(spaces, model.members, model.services, other.policies)


ANY: Final = models(kinds=EVERY_KIND, audited=True) | http_models()


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Model, Model]:
    """Two models; most have one inventory."""
    before, after = draw(ANY), draw(ANY)
    if draw(st.integers(0, 2)):
        after = with_policies(before, after)
    return before, after


@settings(max_examples=FEW)
@given(pairs())
def test_what_holds_for_all_differences(both: tuple[Model, Model]) -> None:
    before, after = map(side_of, both)
    found = compare(before, after)
    check_nothing_differs_from_itself(after)
    check_the_way_back(found, compare(after, before))
    check_against_simulations(found)
    check_groups(found)


def check_nothing_differs_from_itself(side: Side) -> None:
    found = compare(side, side)
    assert (found.changes, found.audited) == ((), ())


def check_the_way_back(there: Difference, back: Difference) -> None:
    for one, other in ((there.changes, back.changes), (there.audited, back.audited)):
        straight = {(c.flow, c.keys, c.before, c.after, len(c.turns)) for c in one}
        turned = {(c.flow, c.keys, c.after, c.before, len(c.turns)) for c in other}
        assert straight == turned


# --- gained and lost explain the two simulations --------------------------------------


def ends_hold(names: tuple[str, str], point: Point) -> bool:
    return all(map(holds, names, point[:2]))


def holds(name: str, end: str) -> bool:
    """Tell whether a name is an end's, or a range that an address is in."""
    if "/" in name or "/" in end:
        return name == end
    first, last = map(ip_address, name.split("-"))
    address = ip_address(end)
    inside = int(first) <= int(address) <= int(last)
    return first.version == address.version and inside


def level_in(connections: Iterable[Connection], point: Point) -> Level:
    for c in connections:
        if ends_hold((c.source, c.destination), point):
            base = key_of(Protocol(c.protocol), 0)
            for first, last in c.ports:
                if base + first <= point[2] <= base + last:
                    return Level.SOME if c.http else Level.ALL
    return Level.NOTHING


def changes_at(changes: Iterable[Change], point: Point) -> list[Change]:
    return [
        change
        for change in changes
        if ends_hold((change.flow.source, change.flow.destination), point)
        and any(first <= point[2] <= last for first, last in change.keys)
    ]


def points(sides: list[list[Connection]]) -> Iterator[Point]:
    """Yield a point of every stretch of addresses and keys where answers can turn."""
    lines = [*sides[0], *sides[1]]
    addresses: dict[str, None] = {}
    keys = {0x50, 0x10050, 0x20050}
    for c in lines:
        for end in (c.source, c.destination):
            if "/" not in end:
                addresses |= dict.fromkeys(end.split("-"))
        base = key_of(Protocol(c.protocol), 0)
        keys |= {base + end for span in c.ports for end in span}
    pairs = {(c.source, c.destination) for c in lines}
    for source, destination in pairs:
        for key in keys:
            for one in [source] if "/" in source else addresses:
                for other in [destination] if "/" in destination else addresses:
                    yield one, other, key


def check_against_simulations(found: Difference) -> None:
    both = found.before, found.after
    sides = [simulate(side.engine, side.overlay) for side in both]
    speak = [any(s.addresses6 for s in side.table.subjects) for side in both]
    for point in set(points(sides)):
        is_ipv6 = any(":" in end for end in point[:2])
        if is_ipv6 and speak[0] != speak[1]:
            continue  # One simulation says nothing about it.
        levels = level_in(sides[0], point), level_in(sides[1], point)
        at = [(c.before, c.after) for c in changes_at(found.changes, point)]
        if levels == (Level.SOME, Level.SOME):
            assert at in ([], [levels])
        else:
            assert at == ([levels] if levels[0] is not levels[1] else [])


# --- single requests -----------------------------------------------------------------


def is_open(side: Side, flow: Flow, request: HttpRequest | None) -> bool:
    """Ask the module about all endpoints of both owners; one is enough."""
    assert isinstance(flow.source, Endpoint)
    assert isinstance(flow.destination, Endpoint)
    owners = {o.name: o.endpoints for o in find_owners(side.table, side.overlay)}
    key = key_of(flow.protocol, flow.port)
    asked = Requests.NOT_HTTP if request is None else request
    return any(
        side.engine.judge(
            party_of(side.engine, source),
            party_of(side.engine, destination),
            key,
            request=asked,
        ).is_allowed
        for source in owners[owner_name(flow.source.member)]
        for destination in owners[owner_name(flow.destination.member)]
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Model, Model, list[Flow]]:
    before, after = draw(http_models()), draw(http_models())
    after = with_policies(before, after)
    assume(not any(member.host_network for member in before.members))
    flows = http_flows(before) | http_flows(after)
    return before, after, draw(st.lists(flows, min_size=10, max_size=60))


@settings(max_examples=FEW)
@given(questions())
def test_requests_that_turn_are_found(asked: tuple[Model, Model, list[Flow]]) -> None:
    before, after = side_of(asked[0]), side_of(asked[1])
    changes = compare(before, after).changes
    check_no_request_is_missed(before, after, changes, asked[2])
    members = {owner_name(member): member for member in asked[0].members}
    check_examples(before, after, changes, members)


def check_no_request_is_missed(
    before: Side, after: Side, changes: Iterable[Change], flows: list[Flow]
) -> None:
    """Whatever request gets another answer, its flow and port are among the changes.

    A header that is repeated is not tried in all ways.
    """
    for flow in flows:
        ends = flow.source, flow.destination
        names = [owner_name(end.member) for end in ends if isinstance(end, Endpoint)]
        headers = flow.request.headers if flow.request else ()
        is_repeated = len({name for name, _ in headers}) < len(headers)
        if len(set(names)) < 2 or is_repeated:
            continue
        opens = [is_open(side, flow, flow.request) for side in (before, after)]
        point = names[0], names[1], key_of(flow.protocol, flow.port)
        if opens[0] != opens[1]:
            assert changes_at(changes, point), flow


def check_examples(
    before: Side, after: Side, changes: Iterable[Change], members: dict[str, Member]
) -> None:
    """Each example is what it says, by both modules."""
    for change in changes:
        if change.flow.span is None:
            ends = members[change.flow.source], members[change.flow.destination]
            key = change.keys[0][0]
            flow = Flow(Endpoint(ends[0]), Endpoint(ends[1]), Protocol.TCP, key)
            for example in change.examples:
                opens = [is_open(s, flow, example.request) for s in (before, after)]
                assert opens == [example.kind == "lost", example.kind == "gained"]


# --- groups --------------------------------------------------------------------------


def flows_of(group: Group) -> set[tuple[str, str]]:
    """What a group's title says."""
    return {
        (source, destination)
        for source in group.sources
        for destination in group.destinations
        if source != destination
    }


def check_groups(found: Difference) -> None:
    """Titles say what the changes of a group are; each change is in one group."""
    for group in make_groups(found.changes):
        ends = [(c.flow.source, c.flow.destination) for c in group.changes]
        assert len(ends) == len(set(ends))
        assert set(ends) == flows_of(group)
        assert len({(c.keys, c.before, c.after, c.turns) for c in group.changes}) == 1
    sections = make_sections(found)
    listed = [c for section in sections for g in section.groups for c in g.changes]
    assert sorted(listed, key=repr) == sorted(
        [*found.changes, *found.audited], key=repr
    )

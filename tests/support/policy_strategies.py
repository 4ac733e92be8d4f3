"""Random selectors, rules and NetworkPolicies, small and full of collisions.

Few labels, few ports and few addresses, so that selectors do select, named ports meet
numbers, and blocks border on each other. Part of `strategies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.policy.model import (
    NAME_LABEL,
    BlockPeer,
    Direction,
    IPNetwork,
    LabelSelector,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    network_policy,
)
from tests.support.manifests import NOWHERE

NAMESPACES: Final = ("alpha", "beta", "gamma")
LABEL_KEYS: Final = ("app", "tier", "x.io/app")
VALUES: Final = ("a", "b", "")
PORT_NAMES: Final = ("http", "dns")
PORTS: Final = (1, 79, 80, 81, 8080, 65535)
BLOCKS: Final[tuple[IPNetwork, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.0.0.0/29",
        "10.0.0.4/30",
        "10.0.0.1/32",
        "192.0.2.0/24",
        "255.255.255.255/32",
        "::/0",
        "2001:db8::/32",
        "2001:db8::/126",
        "2001:db8::1/128",
    )
)


def protocols() -> SearchStrategy[Protocol]:
    """TCP twice as often as the others."""
    return st.sampled_from((Protocol.TCP, Protocol.TCP, Protocol.UDP, Protocol.SCTP))


def labels() -> SearchStrategy[dict[str, str]]:
    return st.dictionaries(
        st.sampled_from(LABEL_KEYS), st.sampled_from(VALUES), max_size=2
    )


# --- selectors ------------------------------------------------------------------------


@st.composite
def requirements(draw: DrawFn, keys: Sequence[str] = LABEL_KEYS) -> Requirement:
    operator = draw(st.sampled_from(Operator))
    values: tuple[str, ...] = ()
    if operator in (Operator.IN, Operator.NOT_IN):
        values = tuple(draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)))
    return Requirement(draw(st.sampled_from(keys)), operator, values)


def selectors(keys: Sequence[str] = LABEL_KEYS) -> SearchStrategy[LabelSelector]:
    found = st.lists(requirements(keys), max_size=2)
    return found.map(lambda each: LabelSelector(tuple(each)))


@st.composite
def namespace_selectors(draw: DrawFn) -> LabelSelector:
    """Select namespaces by label, as often as not by their name."""
    if draw(st.booleans()):
        return draw(selectors())
    operator = draw(st.sampled_from((Operator.IN, Operator.NOT_IN)))
    names = draw(st.lists(st.sampled_from(NAMESPACES), min_size=1, max_size=2))
    return LabelSelector((Requirement(NAME_LABEL, operator, tuple(names)),))


# --- policies -------------------------------------------------------------------------


@st.composite
def block_peers(draw: DrawFn) -> BlockPeer:
    cidr = draw(st.sampled_from(BLOCKS))
    inside = [block for block in BLOCKS if _is_strictly_inside(block, cidr)]
    if not inside:
        return BlockPeer(cidr)
    return BlockPeer(cidr, tuple(draw(st.lists(st.sampled_from(inside), max_size=2))))


def _is_strictly_inside(inner: IPNetwork, outer: IPNetwork) -> bool:
    return (
        inner.version == outer.version
        and inner != outer
        and inner.network_address in outer
        and inner.broadcast_address in outer
    )


@st.composite
def peers(draw: DrawFn) -> Peer:
    form = draw(st.sampled_from(("pods", "namespaces", "both", "block")))
    if form == "block":
        return draw(block_peers())
    return PodPeer(
        draw(selectors()) if form != "namespaces" else None,
        draw(namespace_selectors()) if form != "pods" else None,
    )


@st.composite
def port_matches(draw: DrawFn) -> PortMatch:
    protocol = draw(protocols())
    form = draw(st.sampled_from(("every", "name", "number", "range")))
    if form == "every":
        return PortMatch(protocol)
    if form == "name":
        return PortMatch(protocol, name=draw(st.sampled_from(PORT_NAMES)))
    first = draw(st.sampled_from(PORTS))
    if form == "number":
        return PortMatch(protocol, first=first, last=first)
    last = draw(st.sampled_from([port for port in PORTS if port >= first]))
    return PortMatch(protocol, first=first, last=last)


@st.composite
def rules(draw: DrawFn, direction: Direction, number: int) -> PolicyRule:
    return PolicyRule(
        direction,
        number,
        draw(st.none() | st.lists(peers(), min_size=1, max_size=2).map(tuple)),
        draw(st.none() | st.lists(port_matches(), min_size=1, max_size=2).map(tuple)),
        NOWHERE,
    )


@st.composite
def policies(draw: DrawFn, name: str) -> Policy:
    isolates = draw(st.sets(st.sampled_from(Direction), min_size=1))
    found: list[PolicyRule] = []
    for direction in Direction:
        if direction in isolates:
            count = draw(st.integers(0, 2))
            found += [draw(rules(direction, number)) for number in range(count)]
    return network_policy(
        draw(st.sampled_from(NAMESPACES)),
        name,
        draw(selectors()),
        frozenset(isolates),
        tuple(found),
        NOWHERE,
    )

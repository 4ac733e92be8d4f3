"""Random cluster-wide policies: all kinds, tiers, actions, peers and forms of ports.

Priorities are few, so that policies tie and the order by name matters. Part of
`strategies`.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from generator.policy.dialects import DIALECTS, Dialect
from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    NodePeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Tier,
)
from tests.support.manifests import NOWHERE
from tests.support.policy_strategies import (
    BLOCKS,
    PORT_NAMES,
    PORTS,
    namespace_selectors,
    protocols,
    selectors,
)

PRIORITIES: Final = (0, 0, 1, 1000)
DOMAINS: Final = ("a.example", "*.example.org")


@st.composite
def cluster_policies(draw: DrawFn, name: str, kind: str) -> Policy:
    """Draw a policy of a kind; the only baseline is called `default`."""
    dialect = DIALECTS[kind]
    tier = dialect.tier
    if tier is None:
        tier = draw(st.sampled_from((Tier.ADMIN, Tier.BASELINE)))
    found: list[PolicyRule] = []
    for direction in Direction:
        count = draw(st.integers(0, 3))
        found += [draw(_rules(dialect, tier, direction, n)) for n in range(count)]
    return Policy(
        kind,
        "",
        name if dialect.has_priority else "default",
        tier,
        draw(st.sampled_from(PRIORITIES)) if dialect.has_priority else 0,
        draw(_pods()),
        frozenset(),
        tuple(found),
        NOWHERE,
    )


@st.composite
def _rules(
    draw: DrawFn, dialect: Dialect, tier: Tier, direction: Direction, number: int
) -> PolicyRule:
    name = draw(st.sampled_from(("", "", "a rule")))
    action = draw(st.sampled_from(sorted(dialect.actions.values())))
    if draw(st.integers(0, 9)) == 9:
        # As if a peer were unknown.
        peers = () if action is Action.ACCEPT else None
        action = Action.ACCEPT if action is Action.ACCEPT else Action.DENY
        return PolicyRule(direction, number, peers, None, NOWHERE, action, name)
    has_domains = tier is Tier.ADMIN and action is Action.ACCEPT
    one = _pods() if direction is Direction.INGRESS else _egress_peers(has_domains)
    ports = st.lists(_port_matches(), min_size=1, max_size=2).map(tuple)
    return PolicyRule(
        direction,
        number,
        tuple(draw(st.lists(one, min_size=1, max_size=2))),
        draw(st.none() | ports),
        NOWHERE,
        action,
        name,
    )


@st.composite
def _pods(draw: DrawFn) -> PodPeer:
    pods = draw(st.none() | selectors())
    return PodPeer(pods, draw(namespace_selectors()))


@st.composite
def _egress_peers(draw: DrawFn, has_domains: bool) -> Peer:
    forms = ("pods", "pods", "block", "block", "nodes", "domain")
    match draw(st.sampled_from(forms if has_domains else forms[:-1])):
        case "pods":
            return draw(_pods())
        case "block":
            return BlockPeer(draw(st.sampled_from(BLOCKS)))
        case "nodes":
            return NodePeer(draw(selectors()))
        case _:
            return DomainPeer(draw(st.sampled_from(DOMAINS)))


@st.composite
def _port_matches(draw: DrawFn) -> PortMatch:
    form = draw(st.sampled_from(("name", "number", "range")))
    if form == "name":
        return PortMatch(None, name=draw(st.sampled_from(PORT_NAMES)))
    protocol = draw(protocols())
    first = draw(st.sampled_from(PORTS[:-1]))
    if form == "number":
        return PortMatch(protocol, first=first, last=first)
    last = draw(st.sampled_from([port for port in PORTS if port > first]))
    return PortMatch(protocol, first=first, last=last)

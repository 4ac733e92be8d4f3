"""Random OverlayPolicies: all tiers, actions and peers, ports, `http` and `via`.

Overlay CIDRs are those of the overlay that is called `OVERLAY_NAME` and numbered
without a lock: its realms and workloads count from 1. Part of `strategies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv6Network
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.overlay.address import workload_prefix
from generator.overlay.naming import default_overlay_id
from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    HttpMatch,
    LabelSelector,
    Operator,
    OverlayPeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    Tier,
)
from tests.support.cluster_strategies import DOMAINS, PRIORITIES
from tests.support.http_strategies import http_entries, path_matches
from tests.support.manifests import NOWHERE
from tests.support.policy_strategies import (
    BLOCKS,
    NAMESPACES,
    namespace_selectors,
    port_matches,
    selectors,
)

OVERLAY_NAME: Final = "fuzz"
SYSTEM: Final = "pepmesh-system"
ACCOUNTS: Final = ("default", "robot")
EDGE_LABEL: Final = "pepmesh.dev/edge"
USER_LABEL: Final = "pepmesh.dev/user"
GROUP_LABEL: Final = "group.pepmesh.dev/eng"
USERS: Final = ("alice", "bob")
EVERYBODY: Final = PodPeer(None, LabelSelector())
ACTIONS: Final = (Action.ACCEPT, Action.ACCEPT, Action.DENY, Action.PASS)


@st.composite
def overlay_policies(draw: DrawFn, name: str) -> Policy:
    """Draw a policy. Those that reach beyond their namespace are in `SYSTEM`."""
    tier = draw(_tiers())
    is_normal = tier is Tier.NORMAL
    # An ordered tier of one's own namespace is SYSTEM's alone: few members are there.
    is_own = draw(st.integers(0, 3)) > 0 if is_normal else draw(st.integers(0, 9)) == 9
    namespace = SYSTEM
    if is_normal and is_own:
        namespace = draw(st.sampled_from((*NAMESPACES, *NAMESPACES, SYSTEM)))
    isolates = frozenset(draw(st.sets(st.sampled_from(Direction), min_size=1)))
    found: list[PolicyRule] = []
    for direction in Direction:
        if direction in isolates or not is_normal:
            count = draw(st.integers(0, 3))
            found += [
                draw(overlay_rules(tier, namespace, direction, n)) for n in range(count)
            ]
    return Policy(
        "OverlayPolicy",
        namespace,
        name,
        tier,
        0 if is_normal else draw(st.sampled_from(PRIORITIES)),
        PodPeer(draw(selectors()), None) if is_own else draw(_pods_anywhere()),
        isolates if is_normal else frozenset(),
        tuple(found),
        NOWHERE,
    )


@st.composite
def overlay_rules(
    draw: DrawFn, tier: Tier, namespace: str, direction: Direction, number: int
) -> PolicyRule:
    is_normal = tier is Tier.NORMAL
    action = Action.ACCEPT if is_normal else draw(st.sampled_from(ACTIONS))
    has_domains = (
        direction is Direction.EGRESS
        and action is Action.ACCEPT
        and tier is not Tier.BASELINE
    )
    peers = st.lists(_peers(namespace, has_domains), min_size=1, max_size=2).map(tuple)
    http = draw(st.none() | http_entries() | http_entries())
    ports = port_matches()
    if http is not None:
        ports = ports.map(lambda port: replace(port, protocol=Protocol.TCP))
    has_ports = draw(st.integers(0, 2)) == 2
    via: tuple[str, ...] = ()
    if action is Action.ACCEPT and draw(st.integers(0, 15)) == 15:
        via = ("waf",)
    return PolicyRule(
        direction,
        number,
        draw(st.none() | peers) if is_normal else draw(peers),
        tuple(draw(_some_ports(ports))) if has_ports else None,
        NOWHERE,
        action,
        draw(st.sampled_from(("", "", "a rule"))),
        http,
        via,
    )


def _some_ports(one: SearchStrategy[PortMatch]) -> SearchStrategy[list[PortMatch]]:
    return st.lists(one, min_size=1, max_size=2)


@st.composite
def http_policies(draw: DrawFn, name: str) -> Policy:
    """Draw a policy for everybody's ingress, of which all but requests is simple."""
    tier = draw(_tiers())
    count = draw(st.integers(1, 3))
    return draw(
        _for_everybody(name, tier, [_http_rules(tier, n) for n in range(count)])
    )


@st.composite
def path_policies(draw: DrawFn, name: str) -> Policy:
    """Draw a policy for everybody's ingress from everybody, with many paths."""
    tier = draw(_tiers())
    count = draw(st.integers(1, 5))
    return draw(
        _for_everybody(name, tier, [_path_rules(tier, n) for n in range(count)])
    )


def _tiers() -> SearchStrategy[Tier]:
    return st.sampled_from((Tier.NORMAL, Tier.NORMAL, Tier.ADMIN, Tier.BASELINE))


@st.composite
def _for_everybody(
    draw: DrawFn, name: str, tier: Tier, rules: Sequence[SearchStrategy[PolicyRule]]
) -> Policy:
    is_normal = tier is Tier.NORMAL
    return Policy(
        "OverlayPolicy",
        SYSTEM,
        name,
        tier,
        0 if is_normal else draw(st.sampled_from(PRIORITIES)),
        EVERYBODY,
        frozenset({Direction.INGRESS} if is_normal else ()),
        tuple(draw(rule) for rule in rules),
        NOWHERE,
    )


@st.composite
def _path_rules(draw: DrawFn, tier: Tier, number: int) -> PolicyRule:
    entries = st.builds(
        HttpMatch,
        st.sampled_from(((), (), ("GET",))),
        st.lists(path_matches(), min_size=1, max_size=3).map(tuple),
    )
    actions = (Action.ACCEPT,) if tier is Tier.NORMAL else tuple(Action)
    return PolicyRule(
        Direction.INGRESS,
        number,
        (EVERYBODY,),
        None,
        NOWHERE,
        draw(st.sampled_from(actions)),
        http=tuple(draw(st.lists(entries, min_size=1, max_size=2))),
    )


@st.composite
def _http_rules(draw: DrawFn, tier: Tier, number: int) -> PolicyRule:
    is_normal = tier is Tier.NORMAL
    peers: tuple[Peer, ...] | None = (EVERYBODY,)
    if draw(st.integers(0, 3)) == 3:
        peers = tuple(draw(st.lists(_peers(SYSTEM, False), min_size=1, max_size=2)))
    elif is_normal:
        peers = draw(st.sampled_from((None, peers)))
    ports = None
    if draw(st.integers(0, 4)) == 4:
        ports = (PortMatch(Protocol.TCP, first=80, last=80),)
    has_http = draw(st.integers(0, 7)) < 7
    return PolicyRule(
        Direction.INGRESS,
        number,
        peers,
        ports,
        NOWHERE,
        Action.ACCEPT if is_normal else draw(st.sampled_from(Action)),
        "",
        draw(http_entries()) if has_http else None,
    )


# --- peers ----------------------------------------------------------------------------


@st.composite
def _peers(draw: DrawFn, namespace: str, has_domains: bool) -> Peer:
    forms = ("pods", "pods", "anybody", "account", "overlay", "edge", "block", "domain")
    match draw(st.sampled_from(forms if has_domains else forms[:-1])):
        case "pods":
            return draw(st.one_of(_own_pods(), _pods_anywhere()))
        case "anybody":
            return EVERYBODY
        case "account":
            places = st.sampled_from((*NAMESPACES, namespace))
            return AccountPeer(draw(places), draw(st.sampled_from(ACCOUNTS)))
        case "overlay":
            return OverlayPeer(draw(overlay_cidrs()))
        case "edge":
            return draw(edge_peers())
        case "block":
            return BlockPeer(draw(st.sampled_from(BLOCKS)))
        case _:
            return DomainPeer(draw(st.sampled_from(DOMAINS)))


def _own_pods() -> SearchStrategy[PodPeer]:
    return selectors().map(lambda pods: PodPeer(pods, None))


@st.composite
def _pods_anywhere(draw: DrawFn) -> PodPeer:
    """Pods of namespaces by label; or all pods, so that policies meet."""
    namespaces = st.just(LabelSelector()) | namespace_selectors()
    return PodPeer(draw(st.none() | selectors()), draw(namespaces))


@st.composite
def edge_peers(draw: DrawFn) -> PodPeer:
    """What `users` and `groups` are read as."""
    users = draw(st.lists(st.sampled_from(USERS), min_size=1, max_size=2, unique=True))
    asked = draw(
        st.sampled_from(
            (
                Requirement(USER_LABEL, Operator.IN, tuple(users)),
                Requirement(GROUP_LABEL, Operator.EXISTS),
            )
        )
    )
    edge = Requirement(EDGE_LABEL, Operator.IN, ("true",))
    return PodPeer(LabelSelector((asked,)), LabelSelector((edge,)))


@st.composite
def overlay_cidrs(draw: DrawFn) -> IPv6Network:
    """CIDRs around the addresses that workloads get, and some of another overlay."""
    overlay_id = default_overlay_id(OVERLAY_NAME) + draw(st.sampled_from((0, 0, 0, 1)))
    realm, workload = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    packed = workload_prefix(overlay_id, realm, workload) + bytes(4)
    length = draw(st.sampled_from((8, 48, 63, 64, 64, 80, 94, 95, 96, 96)))
    return IPv6Network((packed, length), strict=False)

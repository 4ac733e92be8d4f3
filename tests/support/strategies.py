"""Random models and flows, small and full of collisions.

`models()` gives what manifests can say: `tests.support.manifests` renders each of
them. `flows(model)` asks where answers change: at the bounds of port ranges and blocks,
and with requests that meet patterns or nearly do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.policy.model import (
    BlockPeer,
    HttpMatch,
    IPAddress,
    IPNetwork,
    Member,
    Model,
    Policy,
    Protocol,
)
from generator.policy.oracle import End, Endpoint, endpoints
from generator.policy.request import HttpRequest
from tests.support.cluster_strategies import cluster_policies
from tests.support.http_strategies import requests
from tests.support.inventory_strategies import (
    MEMBER_IPV4,
    NAMES,
    members,
    namespaces,
    services,
    with_addresses,
)
from tests.support.overlay_strategies import (
    SYSTEM,
    http_policies,
    overlay_policies,
    path_policies,
)
from tests.support.policy_strategies import (
    NAMESPACES,
    policies,
    protocols,
)

NETWORK_POLICY: Final = "NetworkPolicy"
BASELINE: Final = "BaselineAdminNetworkPolicy"
OVERLAY_POLICY: Final = "OverlayPolicy"
EVERY_KIND: Final = (
    NETWORK_POLICY,
    "ClusterNetworkPolicy",
    "AdminNetworkPolicy",
    BASELINE,
    OVERLAY_POLICY,
    OVERLAY_POLICY,
)

OUTSIDE: Final = tuple(
    ip_address(text) for text in ("192.0.2.1", "198.51.100.1", "2001:db8:1::1")
)


@dataclass(frozen=True, slots=True)
class Flow:
    """A question to the oracle, and to whatever must agree with it."""

    source: End
    destination: End
    protocol: Protocol
    port: int
    request: HttpRequest | None = None


@st.composite
def models(
    draw: DrawFn,
    *,
    max_members: int = 6,
    max_policies: int = 4,
    max_services: int = 2,
    distinct_accounts: bool = False,
    kinds: Sequence[str] = (NETWORK_POLICY,),
    audited: bool = False,
) -> Model:
    """Anything that manifests can say, in small.

    `kinds` are the kinds of policies, `EVERY_KIND` for all; `audited` lets policies
    be audited.

    `distinct_accounts` gives each member a service account of its own, and so an
    identity of its own; otherwise members may be one workload to the overlay, and
    may be refused as such if they differ in a named port.
    """
    system = (SYSTEM,) if OVERLAY_POLICY in kinds else ()
    in_namespaces = st.sampled_from((*NAMESPACES, *NAMESPACES, *system))
    places = st.tuples(in_namespaces, st.sampled_from(NAMES))
    keys = draw(st.lists(places, max_size=max_members, unique=True))
    found = with_addresses(draw, [draw(members(*key)) for key in keys])
    if distinct_accounts:
        found = [
            replace(member, service_account=f"account-{number}")
            for number, member in enumerate(found)
        ]
    service_keys = draw(st.lists(places, max_size=max_services, unique=True))
    chosen_services = [draw(services(*key)) for key in service_keys]
    count = draw(st.integers(0, max_policies))
    chosen_policies = _draw_policies(draw, kinds, count)
    if audited:
        chosen_policies = [
            replace(policy, is_audited=draw(st.booleans()))
            for policy in chosen_policies
        ]
    mentioned = {member.namespace for member in found}
    mentioned |= {service.namespace for service in chosen_services}
    mentioned |= {policy.namespace for policy in chosen_policies} - {""}
    return Model(
        draw(namespaces(mentioned)),
        tuple(found),
        tuple(chosen_services),
        tuple(chosen_policies),
    )


def _draw_policies(draw: DrawFn, kinds: Sequence[str], count: int) -> list[Policy]:
    """Draw policies of some kinds; of a baseline there is one at most."""
    chosen = [draw(st.sampled_from(kinds)) for _ in range(count)]
    return [
        draw(_policies(kind, f"p{number}"))
        for number, kind in enumerate(chosen)
        if kind != BASELINE or BASELINE not in chosen[:number]
    ]


@st.composite
def http_models(draw: DrawFn) -> Model:
    """A few members and policies that nearly always decide by the request."""
    places = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
    keys = draw(st.lists(places, min_size=2, max_size=3, unique=True))
    found = with_addresses(draw, [draw(members(*key)) for key in keys])
    count = draw(st.integers(1, 4))
    chosen = [draw(http_policies(f"h{number}")) for number in range(count)]
    if draw(st.booleans()):
        chosen += _draw_policies(draw, EVERY_KIND, 1)
    mentioned = {key[0] for key in keys}
    mentioned |= {policy.namespace for policy in chosen} - {""}
    return Model(draw(namespaces(mentioned)), tuple(found), (), tuple(chosen))


@st.composite
def http_flows(draw: DrawFn, model: Model) -> Flow:
    """A flow between members that carries a request, with few exceptions."""
    flow = draw(flows(model))
    if draw(st.integers(0, 15)) == 15:
        return flow
    inside = [end for member in model.members for end in endpoints(member)]
    destination = draw(st.sampled_from(inside))
    source = draw(
        st.sampled_from([end for end in inside if end.member != destination.member])
    )
    port = draw(st.sampled_from((80, 80, 81)))
    request = draw(requests(http_entries_of(model)))
    return Flow(source, destination, Protocol.TCP, port, request)


@st.composite
def path_models(draw: DrawFn) -> Model:
    """Two members, and rules that ask for paths and sometimes for a method."""
    ends = tuple(
        Member("Pod", "alpha", name, {}, name, (), (MEMBER_IPV4[number],))
        for number, name in enumerate(NAMES[:2])
    )
    chosen = [draw(path_policies(f"h{n}")) for n in range(draw(st.integers(1, 3)))]
    return Model(draw(namespaces({"alpha", SYSTEM})), ends, (), tuple(chosen))


@st.composite
def path_flows(draw: DrawFn, model: Model) -> Flow:
    """Every flow is between the two members; only the request changes."""
    source, destination = (Endpoint(m, m.addresses[0]) for m in model.members)
    segments = draw(st.lists(st.sampled_from(("a", "b", "a", "c")), max_size=5))
    path = "/" + "/".join(segments) + draw(st.sampled_from(("", "", "/", "/..")))
    request = HttpRequest(draw(st.sampled_from(("GET", "POST"))), path)
    return Flow(source, destination, Protocol.TCP, 80, request)


def _policies(kind: str, name: str) -> SearchStrategy[Policy]:
    if kind == NETWORK_POLICY:
        return policies(name)
    if kind == OVERLAY_POLICY:
        return overlay_policies(name)
    return cluster_policies(name, kind)


# --- flows ----------------------------------------------------------------------------


@st.composite
def flows(draw: DrawFn, model: Model) -> Flow:
    """A flow with a member at one end at least, if there is any.

    Ends have one address family. An endpoint of unknown address does not talk to
    another endpoint of its member: nobody could say whether that is itself.
    """
    inside = [end for member in model.members for end in endpoints(member)]
    outside = outside_addresses(model)
    ends: list[End] = [*inside, *inside, *outside]
    source = draw(st.sampled_from(ends))
    others = [end for end in ends if _can_talk(source, end)]
    if not isinstance(source, Endpoint) and inside:
        others = [end for end in others if isinstance(end, Endpoint)] or others
    destination = draw(st.sampled_from(others))
    port = draw(st.sampled_from(interesting_ports(model)))
    protocol = draw(protocols())
    request = None
    if protocol is Protocol.TCP:
        request = draw(st.none() | requests(http_entries_of(model)))
    return Flow(source, destination, protocol, port, request)


def http_entries_of(model: Model) -> list[HttpMatch]:
    """Return all `http` entries of a model, for requests to meet."""
    rules = [rule for policy in model.policies for rule in policy.rules]
    return [entry for rule in rules for entry in rule.http or ()]


def outside_addresses(model: Model) -> list[IPAddress]:
    """Return addresses at the bounds of blocks that belong to no member."""
    taken = {address for member in model.members for address in member.addresses}
    found = dict.fromkeys((*OUTSIDE, *_block_bounds(model)))
    return [address for address in found if address not in taken]


def interesting_ports(model: Model) -> list[int]:
    """Return the ports around which answers change."""
    found = {80}
    for policy in model.policies:
        for rule in policy.rules:
            for port in rule.ports or ():
                if port.first is not None and port.last is not None:
                    found |= {port.first - 1, port.first, port.last, port.last + 1}
    for member in model.members:
        for declared in member.ports:
            found |= {declared.number, declared.number + 1}
    return sorted(port for port in found if 1 <= port <= 65535)


def _block_bounds(model: Model) -> Iterator[IPAddress]:
    for policy in model.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, BlockPeer):
                    for block in (peer.cidr, *peer.excepts):
                        yield from _bounds(block)


def _bounds(block: IPNetwork) -> Iterator[IPAddress]:
    first, last = block.network_address, block.broadcast_address
    yield first
    yield last
    if int(first) > 0:
        yield first - 1
    if int(last) < 2**block.max_prefixlen - 1:
        yield last + 1


def _can_talk(source: End, destination: End) -> bool:
    one, two = _address(source), _address(destination)
    if one is not None and two is not None:
        return one.version == two.version
    return (
        not isinstance(source, Endpoint)
        or not isinstance(destination, Endpoint)
        or source.member != destination.member
    )


def _address(end: End) -> IPAddress | None:
    return end.address if isinstance(end, Endpoint) else end

"""Random models and flows, small and full of collisions.

`models()` gives what manifests can say: `tests.support.manifests` renders each of
them. `flows(model)` asks where answers change: at the bounds of port ranges and blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.policy.model import (
    NAME_LABEL,
    BlockPeer,
    ContainerPort,
    IPAddress,
    IPNetwork,
    Member,
    Model,
    Namespace,
    Policy,
    Protocol,
    Service,
    ServicePort,
)
from generator.policy.oracle import End, Endpoint, endpoints
from tests.support.cluster_strategies import cluster_policies
from tests.support.policy_strategies import (
    NAMESPACES,
    PORT_NAMES,
    PORTS,
    labels,
    policies,
    protocols,
)

NETWORK_POLICY: Final = "NetworkPolicy"
BASELINE: Final = "BaselineAdminNetworkPolicy"
EVERY_KIND: Final = (
    NETWORK_POLICY,
    "ClusterNetworkPolicy",
    "AdminNetworkPolicy",
    BASELINE,
)

NAMES: Final = ("one", "two", "three", "four")
ACCOUNTS: Final = ("default", "robot")
CONTROLLERS: Final = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
)
MEMBER_IPV4: Final = tuple(ip_address(f"10.0.0.{n}") for n in range(1, 10))
MEMBER_IPV6: Final = tuple(ip_address(f"2001:db8::{n}") for n in range(1, 6))
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


# --- inventory ------------------------------------------------------------------------


def container_ports() -> SearchStrategy[ContainerPort]:
    return st.builds(
        ContainerPort,
        st.sampled_from(("", *PORT_NAMES)),
        st.sampled_from(PORTS),
        protocols(),
    )


@st.composite
def members(draw: DrawFn, namespace: str, name: str) -> Member:
    """A member without addresses; those are handed out to all members at once."""
    kind = draw(st.sampled_from((*CONTROLLERS, "Pod", "Pod", "WorkloadEntry")))
    ports = draw(st.lists(container_ports(), max_size=3, unique=True))
    is_entry = kind == "WorkloadEntry"
    if is_entry:
        by_name = {port.name: port for port in ports if port.name}
        ports = [replace(port, protocol=Protocol.TCP) for port in by_name.values()]
    return Member(
        kind,
        namespace,
        name,
        draw(labels()),
        draw(st.sampled_from(ACCOUNTS)),
        tuple(ports),
        host_network=not is_entry and draw(st.integers(0, 7)) == 7,
    )


@st.composite
def services(draw: DrawFn, namespace: str, name: str) -> Service:
    targets: SearchStrategy[int | str]
    targets = st.sampled_from(PORTS) | st.sampled_from(PORT_NAMES)
    ports = [
        ServicePort(
            draw(st.sampled_from(("", "main"))),
            draw(st.sampled_from(PORTS)),
            draw(targets),
            draw(protocols()),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    selector = draw(labels()) or None
    return Service(namespace, name, selector, tuple(ports))


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
    places = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
    keys = draw(st.lists(places, max_size=max_members, unique=True))
    found = _with_addresses(draw, [draw(members(*key)) for key in keys])
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
        draw(policies(f"p{number}"))
        if kind == NETWORK_POLICY
        else draw(cluster_policies(f"p{number}", kind))
        for number, kind in enumerate(chosen)
        if kind != BASELINE or BASELINE not in chosen[:number]
    ]


@st.composite
def namespaces(draw: DrawFn, mentioned: set[str]) -> Mapping[str, Namespace]:
    found = {}
    for name in NAMESPACES:
        name_label = {NAME_LABEL: name}
        if draw(st.integers(0, 5)) > 0:
            given = {**draw(labels()), **name_label}
            found[name] = Namespace(name, given, is_declared=True)
        elif name in mentioned:
            found[name] = Namespace(name, name_label, is_declared=False)
    return found


def _with_addresses(draw: DrawFn, found: list[Member]) -> list[Member]:
    """Hand out underlay addresses, each once."""
    free = {4: iter(MEMBER_IPV4), 6: iter(MEMBER_IPV6)}
    done = []
    for member in found:
        wanted = draw(st.sampled_from(((), (), (4,), (4,), (4, 4), (6,), (4, 6))))
        if member.kind == "WorkloadEntry":
            wanted = wanted[:1]
        if member.kind == "Pod" and wanted == (4, 4):
            wanted = (4,)
        addresses = [next(free[family], None) for family in wanted]
        known = tuple(address for address in addresses if address is not None)
        done.append(replace(member, addresses=known))
    return done


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
    return Flow(source, destination, draw(protocols()), port)


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

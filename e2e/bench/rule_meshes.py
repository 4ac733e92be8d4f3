"""Meshes of N rules, in seven shapes.

Rules are really there and differ from each other: in peers, ports, address ranges or
paths. Each shape puts the N rules where they could cost something: all of them on one
workload, or ten each on pairs of workloads. Models are made without manifests, since
what is measured is the decision, not the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Final

from generator.policy.model import (
    NAME_LABEL,
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    HttpMatch,
    LabelSelector,
    Member,
    Model,
    Namespace,
    Operator,
    PathKind,
    PathMatch,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    Tier,
)
from generator.source import Position, Span

SERVER: Final = ("server", "server")
OPEN_SERVER: Final = ("server", "open-server")
RULES_PER_POLICY: Final = 10
PEERS_PER_NAMESPACE: Final = 100
FIRST_PORT: Final = 8000
PORTS: Final = 10
PROTOCOLS: Final = tuple(Protocol)

_START: Final = Position(0, 0)
_SPAN: Final = Span("rules.yaml", _START, _START)

Name = tuple[str, str]
"""Namespace and name of a workload."""


# --- parts -----------------------------------------------------------------------


def member(name: Name) -> Member:
    """A workload of its own: its service account has its name."""
    namespace, own = name
    return Member("Deployment", namespace, own, {"app": own}, own)


def peer_of(number: int) -> Name:
    return f"ns-{number // PEERS_PER_NAMESPACE}", f"client-{number}"


def account(number: int) -> AccountPeer:
    return AccountPeer(*peer_of(number))


def port_of(number: int) -> int:
    return FIRST_PORT + number % PORTS


def tcp(port: int) -> PortMatch:
    return port_match(Protocol.TCP, port)


def port_match(protocol: Protocol, port: int) -> PortMatch:
    return PortMatch(protocol, first=port, last=port)


def labelled(name: str) -> LabelSelector:
    return LabelSelector((Requirement("app", Operator.IN, (name,)),))


def model_of(names: Iterable[Name], policies: Iterable[Policy]) -> Model:
    members = tuple(map(member, names))
    namespaces = {
        name: Namespace(name, MappingProxyType({NAME_LABEL: name}), is_declared=True)
        for name in {m.namespace for m in members}
    }
    return Model(namespaces, members, (), tuple(policies))


@dataclass(frozen=True, slots=True)
class Says:
    """One rule before it has a number; None is any peer, any port."""

    peer: Peer | None = None
    port: PortMatch | None = None
    action: Action = Action.ACCEPT
    http: HttpMatch | None = None


def policies_of(
    subject: Name,
    said: Sequence[Says],
    *,
    direction: Direction = Direction.INGRESS,
    tier: Tier = Tier.NORMAL,
) -> list[Policy]:
    """Policies of ten rules each, all for one workload."""
    namespace, name = subject
    isolates = frozenset({direction} if tier is Tier.NORMAL else ())
    return [
        Policy(
            kind="OverlayPolicy",
            namespace=namespace,
            name=f"{name}-{direction}-{tier.name}-{first}".lower(),
            tier=tier,
            priority=0 if tier is Tier.NORMAL else first,
            subject=PodPeer(labelled(name), None),
            isolates=isolates,
            rules=tuple(
                _rule(direction, number, one)
                for number, one in enumerate(said[first : first + RULES_PER_POLICY])
            ),
            span=_SPAN,
        )
        for first in range(0, len(said), RULES_PER_POLICY)
    ]


def _rule(direction: Direction, number: int, said: Says) -> PolicyRule:
    return PolicyRule(
        direction,
        number,
        None if said.peer is None else (said.peer,),
        None if said.port is None else (said.port,),
        _SPAN,
        said.action,
        http=None if said.http is None else (said.http,),
    )


# --- shapes: all rules on one workload ---------------------------------------------


def by_peers(rules: int) -> Model:
    """Rule i: client i, on one of ten ports."""
    said = [Says(account(i), tcp(port_of(i))) for i in range(rules)]
    strangers = [stranger(i) for i in range(PEERS_PER_NAMESPACE)]
    names = [SERVER, *strangers, *map(peer_of, range(rules))]
    return model_of(names, policies_of(SERVER, said))


def stranger(number: int) -> Name:
    """A workload that no rule speaks about."""
    return "strangers", f"stranger-{number % PEERS_PER_NAMESPACE}"


def by_realms(rules: int) -> Model:
    """Rule i: all of one namespace, on one of ten ports."""
    names = [realm_client(i) for i in range(0, rules, PORTS)]
    said = [
        Says(PodPeer(None, _named(realm_client(i)[0])), tcp(port_of(i)))
        for i in range(rules)
    ]
    return model_of([SERVER, *names], policies_of(SERVER, said))


def realm_client(number: int) -> Name:
    return f"realm-{number // PORTS}", "client"


def _named(namespace: str) -> LabelSelector:
    return LabelSelector((Requirement(NAME_LABEL, Operator.IN, (namespace,)),))


def by_addresses(rules: int) -> Model:
    """Rule i: one block of 256 addresses or fewer, on one port."""
    said = [Says(BlockPeer(block(i)), tcp(443)) for i in range(rules)]
    return model_of([SERVER], policies_of(SERVER, said))


def block(number: int) -> IPv4Network:
    """Blocks lie anywhere, in no order, with a gap of 256 addresses after each."""
    slot = number * 0x9E3779 & 0x7FFFFF  # odd factor: every number has its own slot
    return IPv4Network((slot << 9, 24 + number % 9))


def by_ports(rules: int) -> Model:
    """Rule i: anybody, on a port of its own; all three protocols in turn."""
    said = [Says(None, port_match(*protocol_port(i))) for i in range(rules)]
    return model_of([SERVER, stranger(0)], policies_of(SERVER, said))


def protocol_port(number: int) -> tuple[Protocol, int]:
    return PROTOCOLS[number % 3], 1 + number // 3


def by_paths(rules: int) -> Model:
    """Rule i: anybody, with a path of its own."""
    said = [Says(None, tcp(80), http=_path(i)) for i in range(rules)]
    return model_of([SERVER, stranger(0)], policies_of(SERVER, said))


def _path(number: int) -> HttpMatch:
    path = PathMatch(PathKind.EXACT, path_of(number))
    return HttpMatch(methods=("GET",), paths=(path,))


def path_of(number: int) -> str:
    return f"/api/v1/items-{number:06}/all"


def by_tiers(rules: int) -> Model:
    """A quarter of the rules each: Admin passes client i on at both servers, then
    NetworkPolicy accepts it at the one that is isolated, Baseline denies at the other.
    """
    quarter = range(-(-rules // 4))
    passed = [Says(account(i), action=Action.PASS) for i in quarter]
    accepted = [Says(account(i), tcp(port_of(i))) for i in quarter]
    denied = [Says(account(i), action=Action.DENY) for i in quarter]
    policies = [
        *policies_of(SERVER, passed, tier=Tier.ADMIN),
        *policies_of(SERVER, accepted),
        *policies_of(OPEN_SERVER, passed, tier=Tier.ADMIN),
        *policies_of(OPEN_SERVER, denied, tier=Tier.BASELINE),
    ]
    return model_of([SERVER, OPEN_SERVER, *map(peer_of, quarter)], policies)


# --- shape: rules on many workloads --------------------------------------------------


def by_pairs(rules: int) -> Model:
    """A caller and a callee for every ten rules: five each, both sides must allow."""
    policies: list[Policy] = []
    names: list[Name] = []
    for pair in range(-(-rules // 10)):
        caller, callee = pair_of(pair)
        names += [caller, callee]
        out = [Says(_local(callee), tcp(FIRST_PORT + k)) for k in range(5)]
        into = [Says(_local(caller), tcp(FIRST_PORT + k)) for k in range(5)]
        policies += policies_of(caller, out, direction=Direction.EGRESS)
        policies += policies_of(callee, into)
    return model_of(names, policies)


def pair_of(number: int) -> tuple[Name, Name]:
    namespace = f"ns-{number // 5}"
    return (namespace, f"caller-{number % 5}"), (namespace, f"callee-{number % 5}")


def _local(name: Name) -> PodPeer:
    return PodPeer(labelled(name[1]), None)

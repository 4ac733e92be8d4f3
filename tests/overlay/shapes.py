"""Short ways to say models: members, services and policies with plain defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from generator.policy.model import (
    NAME_LABEL,
    ContainerPort,
    Direction,
    LabelSelector,
    Member,
    Model,
    Namespace,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    Service,
    ServicePort,
    network_policy,
)
from generator.source import Position, Span

Labels = Mapping[str, str]
EVERYTHING = LabelSelector()


def span(line: int) -> Span:
    return Span("shop.yaml", Position(line, 0), Position(line, 1))


def ports(**numbers: int) -> tuple[ContainerPort, ...]:
    """Name TCP container ports."""
    return tuple(
        ContainerPort(n, number, Protocol.TCP) for n, number in numbers.items()
    )


def member(
    name: str,
    labels: Labels | None = None,
    *,
    namespace: str = "shop",
    kind: str = "Deployment",
    account: str = "default",
    declared: tuple[ContainerPort, ...] = (),
    host_network: bool = False,
    line: int = 0,
) -> Member:
    return Member(
        kind,
        namespace,
        name,
        {"app": name} if labels is None else labels,
        account,
        declared,
        host_network=host_network,
        span=span(line),
    )


def service(
    name: str,
    selector: Labels | None,
    targets: Mapping[int, int | str] | None = None,
    *,
    namespace: str = "shop",
    protocol: Protocol = Protocol.TCP,
    line: int = 0,
) -> Service:
    """Say a Service; `targets` maps its ports to container ports."""
    found = {80: 8080} if targets is None else targets
    service_ports = tuple(ServicePort("", n, t, protocol) for n, t in found.items())
    return Service(namespace, name, selector, service_ports, span(line))


def selector(**labels: str | None) -> LabelSelector:
    """Select by labels; None means that the label exists. `_` stands for `-`."""
    return LabelSelector(
        tuple(
            Requirement(key, Operator.EXISTS)
            if value is None
            else Requirement(key, Operator.IN, (value,))
            for key, value in labels.items()
        )
    )


def selecting(*keys: str) -> Policy:
    """Say a policy that does nothing but make label keys relevant."""
    return policy("keys", selector(**dict.fromkeys(keys)), rules=())


def rule(
    direction: Direction,
    *,
    peers: Iterable[Peer] | None = None,
    named: str | None = None,
    protocol: Protocol = Protocol.TCP,
) -> PolicyRule:
    matches = None if named is None else (PortMatch(protocol, named, span=span(50)),)
    found = None if peers is None else tuple(peers)
    return PolicyRule(direction, 0, found, matches, span(49))


def policy(
    name: str,
    subject: LabelSelector = EVERYTHING,
    *,
    namespace: str = "shop",
    rules: tuple[PolicyRule, ...] = (),
    isolates: Iterable[Direction] = tuple(Direction),
) -> Policy:
    return network_policy(
        namespace, name, subject, frozenset(isolates), rules, span(48)
    )


def pods(**labels: str | None) -> PodPeer:
    """Say a peer: pods of the policy's own namespace."""
    return PodPeer(selector(**labels), None)


def model(
    *things: Member | Service | Policy,
    namespaces: Mapping[str, Labels] | None = None,
) -> Model:
    """Put things into a model; their namespaces are made up if not given."""
    given = namespaces or {}
    names = {thing.namespace for thing in things} - {""} | set(given)
    return Model(
        {n: Namespace(n, {NAME_LABEL: n, **given.get(n, {})}, True) for n in names},
        tuple(t for t in things if isinstance(t, Member)),
        tuple(t for t in things if isinstance(t, Service)),
        tuple(t for t in things if isinstance(t, Policy)),
    )

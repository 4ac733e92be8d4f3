"""Find what senders can name: Services, and workloads reached directly.

Where in the pipeline: after `workloads`, before numbering. A Service with a selector
is a target whose ports end at the workloads that it selects, by full labels as
Kubernetes does; an owner's name is a target whose ports pass through unchanged.
A Service without a selector has no members here, so it is no target: without a
target there is no key, which is a denial. Host-network members serve none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from generator.errors import Diagnostic, Note, OverlayError
from generator.memory import Kept, Same
from generator.overlay.model import Identity, TargetKind, TargetName
from generator.overlay.workloads import Grouping, Groups, Residents, is_plain, title
from generator.policy.model import (
    Labels,
    Member,
    Model,
    Protocol,
    Service,
    ServicePort,
)
from generator.source import Span

Endpoint = tuple[Identity, int]


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A target's port and the endpoints where it ends, sorted."""

    number: int
    protocol: Protocol
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """A target without its number. No `ports`: every port passes through."""

    name: TargetName
    ports: tuple[FoundPort, ...]
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What messages say of a target: what it is, and where."""

    title: str
    span: Span | None


@dataclass(frozen=True, slots=True, eq=False)
class NamespaceTargets:
    """The targets of one namespace, with what messages say of each, and warnings."""

    targets: tuple[FoundTarget, ...]
    shown: tuple[Shown, ...]
    hosts: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]


TargetsMemory = Kept[str, tuple[Same[Service], Residents | None], NamespaceTargets]
"""Targets by namespace, its services, and its members by identity."""


def find_targets(
    model: Model, grouping: Grouping, memory: TargetsMemory
) -> Mapping[str, NamespaceTargets]:
    """Return all targets by namespace.

    Raises: OverlayError OVL0002 if two objects would share a host name, OVL0004 if a
    name cannot be part of one.
    """
    services: dict[str, list[Service]] = {name: [] for name in grouping.residents}
    for service in model.services:
        services.setdefault(service.namespace, []).append(service)
    found = {
        name: memory.get(name, (Same(mine), grouping.residents.get(name)), _find)
        for name, mine in sorted(services.items())
    }
    problems = [*_find_odd_hosts(found.values()), *_find_shared_hosts(found.values())]
    if problems:
        raise OverlayError(problems)
    return found


def _find(inventory: tuple[Same[Service], Residents | None]) -> NamespaceTargets:
    """Find the targets of one namespace: no Service selects members of others."""
    services, residents = inventory
    groups = residents.groups if residents else {}
    index = _MemberIndex(groups)
    warnings: list[Diagnostic] = []
    named: list[tuple[FoundTarget, Shown]] = []
    for service in services.objects:
        if service.selector:
            target = _service_target(service, index, warnings)
            named.append((target, Shown(_service_title(service), service.span)))
    named += _owner_targets(groups)
    return NamespaceTargets(
        tuple(target for target, _ in named),
        tuple(shown for _, shown in named),
        tuple(target.name.host for target, _ in named),
        tuple(warnings),
    )


class _MemberIndex:
    """Members of a namespace by label, so that a selector reads one short list."""

    def __init__(self, groups: Groups) -> None:
        self._rows: dict[tuple[str, str], list[tuple[Member, Identity]]] = {}
        for identity, members in groups.items():
            for member in members:
                for label in member.labels.items():
                    self._rows.setdefault(label, []).append((member, identity))

    def select(self, selector: Labels) -> Iterator[tuple[Member, Identity]]:
        rows = [self._rows.get(label, []) for label in selector.items()]
        for member, identity in min(rows, key=len):
            if selector.items() <= member.labels.items():
                yield member, identity


def _service_target(
    service: Service, index: _MemberIndex, warnings: list[Diagnostic]
) -> FoundTarget:
    selected = list(index.select(service.selector or {}))
    ports = [_found_port(service, port, selected, warnings) for port in service.ports]
    ports.sort(key=lambda port: (port.number, port.protocol))
    identities = sorted({identity for _, identity in selected})
    name = TargetName(TargetKind.SERVICE, service.namespace, service.name)
    return FoundTarget(name, tuple(ports), tuple(identities))


def _found_port(
    service: Service,
    port: ServicePort,
    selected: Iterable[tuple[Member, Identity]],
    warnings: list[Diagnostic],
) -> FoundPort:
    endpoints: set[Endpoint] = set()
    for member, identity in selected:
        number = _resolve(port, member)
        if number is not None:
            endpoints.add((identity, number))
            continue
        message = (
            f'{_service_title(service)}: port {port.number} goes to "{port.target}" '
            f"({port.protocol}), which {title(member)} does not have; left out"
        )
        notes = (Note("the workload is here", member.span),)
        warnings.append(Diagnostic("OVL0003", message, service.span, notes=notes))
    return FoundPort(port.number, port.protocol, tuple(sorted(endpoints)))


def _resolve(port: ServicePort, member: Member) -> int | None:
    """Return the container port of a Service port, the first one of its name."""
    if isinstance(port.target, int):
        return port.target
    for declared in member.ports:
        if declared.name == port.target and declared.protocol is port.protocol:
            return declared.number
    return None


def _owner_targets(groups: Groups) -> Iterator[tuple[FoundTarget, Shown]]:
    """Yield a target per owner; pods of one owner may differ in labels."""
    owners: dict[tuple[str, str, str], list[tuple[Member, Identity]]] = {}
    for identity, members in groups.items():
        for member in members:
            owner = (member.namespace, member.name, member.kind)
            owners.setdefault(owner, []).append((member, identity))
    for (namespace, name, _), rows in owners.items():
        identities = tuple(sorted({identity for _, identity in rows}))
        target_name = TargetName(TargetKind.WORKLOAD, namespace, name)
        first = rows[0][0]
        shown = Shown(title(first), first.span)
        yield FoundTarget(target_name, (), identities), shown


def _find_odd_hosts(found: Iterable[NamespaceTargets]) -> Iterator[Diagnostic]:
    for one in found:
        for host, shown in zip(one.hosts, one.shown, strict=True):
            if not is_plain(host):
                message = f"{shown.title!a} cannot be a host name"
                yield Diagnostic("OVL0004", message, shown.span)


def _find_shared_hosts(found: Iterable[NamespaceTargets]) -> Iterator[Diagnostic]:
    first: dict[str, Shown] = {}
    for one in found:
        for host, shown in zip(one.hosts, one.shown, strict=True):
            other = first.setdefault(host, shown)
            if other is not shown:
                message = f"{shown.title} and {other.title} would both be {host}"
                notes = (Note("the other one is here", other.span),)
                yield Diagnostic("OVL0002", message, shown.span, notes=notes)


def _service_title(service: Service) -> str:
    return f'Service "{service.namespace}/{service.name}"'

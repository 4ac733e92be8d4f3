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
from generator.overlay.model import Identity, TargetKind, TargetName
from generator.overlay.workloads import Grouping, is_plain, title
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


def find_targets(
    model: Model, grouping: Grouping
) -> tuple[tuple[FoundTarget, ...], tuple[Diagnostic, ...]]:
    """Return all targets, sorted by name, and warnings.

    Raises: OverlayError OVL0002 if two objects would share a host name, OVL0004 if a
    name cannot be part of one.
    """
    index = _MemberIndex(grouping.groups)
    warnings: list[Diagnostic] = []
    named: list[tuple[FoundTarget, str, Span | None]] = []
    for service in model.services:
        if service.selector:
            target = _service_target(service, index, warnings)
            named.append((target, _service_title(service), service.span))
    named += _owner_targets(grouping.groups)
    problems = [*_find_odd_hosts(named), *_find_shared_hosts(named)]
    if problems:
        raise OverlayError(problems)
    targets = sorted((target for target, _, _ in named), key=lambda t: t.name)
    return tuple(targets), tuple(warnings)


class _MemberIndex:
    """Members by namespace and label, so that a selector reads one short list."""

    def __init__(self, groups: Mapping[Identity, tuple[Member, ...]]) -> None:
        self._rows: dict[tuple[str, str, str], list[tuple[Member, Identity]]] = {}
        for identity, members in groups.items():
            for member in members:
                for key, value in member.labels.items():
                    row = self._rows.setdefault((member.namespace, key, value), [])
                    row.append((member, identity))

    def select(
        self, namespace: str, selector: Labels
    ) -> Iterator[tuple[Member, Identity]]:
        rows = [
            self._rows.get((namespace, key, value), [])
            for key, value in selector.items()
        ]
        for member, identity in min(rows, key=len):
            if selector.items() <= member.labels.items():
                yield member, identity


def _service_target(
    service: Service, index: _MemberIndex, warnings: list[Diagnostic]
) -> FoundTarget:
    selected = list(index.select(service.namespace, service.selector or {}))
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


def _owner_targets(
    groups: Mapping[Identity, tuple[Member, ...]],
) -> Iterator[tuple[FoundTarget, str, Span | None]]:
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
        yield FoundTarget(target_name, (), identities), title(first), first.span


def _find_odd_hosts(
    named: Iterable[tuple[FoundTarget, str, Span | None]],
) -> Iterator[Diagnostic]:
    for target, shown, span in named:
        if not is_plain(target.name.host):
            yield Diagnostic("OVL0004", f"{shown!a} cannot be a host name", span)


def _find_shared_hosts(
    named: Iterable[tuple[FoundTarget, str, Span | None]],
) -> Iterator[Diagnostic]:
    first: dict[str, tuple[str, Span | None]] = {}
    for target, shown, span in named:
        host = target.name.host
        if host not in first:
            first[host] = shown, span
            continue
        other, other_span = first[host]
        message = f"{shown} and {other} would both be {host}"
        notes = (Note("the other one is here", other_span),)
        yield Diagnostic("OVL0002", message, span, notes=notes)


def _service_title(service: Service) -> str:
    return f'Service "{service.namespace}/{service.name}"'

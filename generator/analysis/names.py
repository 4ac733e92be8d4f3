"""What a person may call a party of a flow, and what it stands for.

shop/cart                     an owner, or a Service if no owner has that name
cart.shop.svc.cluster.local   a Service, as senders name it
cart.shop.workload.pepmesh    an owner, as senders name it
deploy/cart, svc/cart, cart   of a kind, or of any, in the namespace that is given
user:alice, group:eng         the edge endpoints of a user or a group
10.0.0.7                      an address: a member's, or one outside the cluster
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from generator.analysis.edges import edge_members, parse_edge
from generator.analysis.endpoints import Endpoint, Owner, find_owners, owner_name
from generator.analysis.errors import QuestionError
from generator.analysis.references import (
    POD,
    SERVICE,
    Reference,
    article,
    parse_reference,
)
from generator.errors import Diagnostic
from generator.overlay.address import overlay_network
from generator.overlay.model import Overlay, TargetKind
from generator.policy.model import IPAddress, Member, Model, Service
from generator.table.model import RuleTable, TableTarget, TableWorkload

SERVICE_SUFFIX: Final = ".svc.cluster.local"
WORKLOAD_SUFFIX: Final = ".workload.pepmesh"
_SUGGESTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class NamedOwner:
    """An owner, or one of its endpoints by `address`; `members` have its ports."""

    title: str
    endpoints: tuple[Endpoint, ...]
    members: tuple[Member, ...]
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class NamedService:
    """A Service; `target` None: it selects nothing, so its address is not known."""

    title: str
    service: Service
    target: TableTarget | None


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """An address outside the overlay."""

    title: str
    address: IPAddress


Named = NamedOwner | NamedService | NamedAddress


class Names:
    """Finds what a text stands for in one mesh."""

    def __init__(
        self, table: RuleTable, model: Model, overlay: Overlay, namespace: str = ""
    ) -> None:
        self._table = table
        self._model = model
        self._overlay = overlay
        self._namespace = namespace
        self.owners = {owner.name: owner for owner in find_owners(table, overlay)}
        self.services = {f"{s.namespace}/{s.name}": s for s in model.services}
        self._members: dict[str, list[Member]] = {}
        self._by_address: dict[IPAddress, list[tuple[str, TableWorkload]]] = {}
        rows = {row.id: row for row in table.workloads}
        for member in overlay.left_out:
            self._members.setdefault(owner_name(member), []).append(member)
        for workload in overlay.workloads:
            for member in workload.members:
                self._members.setdefault(owner_name(member), []).append(member)
                for address in member.addresses:
                    found = self._by_address.setdefault(address, [])
                    found.append((owner_name(member), rows[workload.id]))

    def find(self, text: str) -> Named:
        """Return what a text names.

        Raises: QuestionError RUN0010, RUN0017 for users, RUN0019 for another kind.
        """
        try:
            address = ip_address(text)
        except ValueError:
            return self._find_name(text)
        return self._find_address(address)

    def _find_address(self, address: IPAddress) -> Named:
        if address in overlay_network(self._table.overlay_id):
            hint = "give the workload's name, or the endpoint's own address"
            raise _unknown(f"{address} is an overlay address", hint)
        found = self._by_address.get(address, [])
        if not found:
            return NamedAddress(str(address), address)
        name = found[0][0]
        # Where instances are IPv4 addresses, no filter knows a member by another one.
        is_known = address.version == 4 or not self._table.has_ipv4_instances
        known = address if is_known else None
        endpoints = tuple(Endpoint(row, known) for _, row in found)
        members = tuple(self._members[name])
        return NamedOwner(f"{name} ({address})", endpoints, members, address)

    def _find_name(self, text: str) -> Named:
        edge = parse_edge(text)
        if edge is not None:
            return self._edge(*edge)
        found = self._find_known(*_namespaced(text))
        reference = parse_reference(text, self._namespace)
        if found is None and reference is not None:
            found = self._find_reference(reference)
        if found is None:
            raise self._unknown_name(text, reference)
        return found

    def _find_known(self, name: str, kind: TargetKind | None) -> Named | None:
        if kind is not TargetKind.SERVICE and name in self.owners:
            return self._owner(self.owners[name])
        if kind is not TargetKind.WORKLOAD and name in self.services:
            return self._service(name)
        return None

    def _find_reference(self, reference: Reference) -> Named | None:
        """Find what a reference means. Raises: QuestionError RUN0019."""
        name, kind = reference.name, reference.kind
        if kind == SERVICE:
            return self._find_known(name, TargetKind.SERVICE)
        if not kind or name not in self.owners:
            return self._find_known(name, TargetKind.WORKLOAD if kind else None)
        members = [m for m in self._members[name] if m.kind == kind]
        if not members:
            kinds = sorted({article(m.kind) for m in self._members[name]})
            message = f"{name} is {' and '.join(kinds)}, not {article(kind)}"
            raise QuestionError.of("RUN0019", message)
        return self._of_members(name, members, self.owners[name].endpoints)

    def _edge(self, what: str, who: str) -> NamedOwner:
        everybody = (member for found in self._members.values() for member in found)
        members = edge_members(what, who, everybody, self._model)
        names = {owner_name(member) for member in members}
        endpoints = {end for name in names for end in self.owners[name].endpoints}
        return self._of_members(f"{what} {who}", members, endpoints)

    def _of_members(
        self, title: str, members: Sequence[Member], endpoints: Iterable[Endpoint]
    ) -> NamedOwner:
        """Keep the endpoints that are of some members."""
        workloads = {
            workload.id
            for workload in self._overlay.workloads
            if any(member in workload.members for member in members)
        }
        outside = any(member.host_network for member in members)
        mine = (
            end
            for end in endpoints
            if (outside if end.workload is None else end.workload.id in workloads)
        )
        kept = tuple(sorted(mine, key=_endpoint_order))
        return NamedOwner(title, kept, tuple(members))

    def _unknown_name(self, text: str, reference: Reference | None) -> QuestionError:
        known = {*self.owners, *self.services}
        if reference is None:
            message = f"no workload or Service is called {text!a}"
            return _unknown(message, suggest(text, known))
        what = reference.kind or "workload or Service"
        hint = suggest(reference.name.partition("/")[2], known)
        if reference.kind == POD and not hint:
            hint = "pods of one workload are judged as one: name what owns the pod"
        return _unknown(f"there is no {what} {reference.name!a}", hint)

    def _owner(self, owner: Owner) -> NamedOwner:
        endpoints = sorted(owner.endpoints, key=_endpoint_order)
        members = tuple(self._members[owner.name])
        return NamedOwner(owner.name, tuple(endpoints), members)

    def host(self, named: Named) -> str:
        """Return the authority by which senders name something; nothing is guessed.

        A workload that has a Service of its name is reached by that.
        """
        match named:
            case NamedService():
                return _service_host(named.service)
            case NamedAddress():
                return _address_host(named.address)
            case NamedOwner():
                if named.address is not None:
                    return _address_host(named.address)
                name = owner_name(named.members[0])
                if name in self.services:
                    return _service_host(self.services[name])
                namespace, _, own = name.partition("/")
                return f"{own}.{namespace}{WORKLOAD_SUFFIX}"

    def service_note(self, named: Named, number: int) -> str | None:
        """Help those who name a workload but mean a port of the Service of its name."""
        if not isinstance(named, NamedOwner) or named.title not in self.services:
            return None
        service = self.services[named.title]
        if number in {port.number for member in named.members for port in member.ports}:
            return None
        for port in service.ports:
            if port.number == number and port.target != number:
                return (
                    f"Service {named.title} leads from port {number} to "
                    f"{port.target}: to ask about it, name {_service_host(service)}."
                )
        return None

    def _service(self, name: str) -> NamedService:
        service = self.services[name]
        wanted = (TargetKind.SERVICE, service.namespace, service.name)
        found = (
            target
            for target in self._table.targets
            if (target.kind, self._table.realms[target.realm], target.name) == wanted
        )
        return NamedService(f"Service {name}", service, next(found, None))


def suggest(text: str, known: Iterable[str]) -> str:
    """Return a hint with the names that a person may have meant."""
    names = sorted(known)
    close = [name for name in names if name.partition("/")[2] == text]
    close += difflib.get_close_matches(text, names, _SUGGESTIONS)
    if not close:
        return ""
    return f"did you mean {' or '.join(dict.fromkeys(close[:_SUGGESTIONS]))}?"


def endpoint_title(name: str, endpoint: Endpoint, overlay: Overlay) -> str:
    """Tell one endpoint of an owner from its others."""
    if endpoint.workload is None:
        return f"{name} (host network)"
    workload = overlay.workloads_by_id[endpoint.workload.id]
    facts = [f"{key}={value}" for key, value in workload.labels]
    facts += [str(endpoint.address)] if endpoint.address else []
    return f"{name} ({', '.join(facts) or f'workload {workload.id}'})"


def _address_host(address: IPAddress) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _service_host(service: Service) -> str:
    return f"{service.name}.{service.namespace}{SERVICE_SUFFIX}"


def _namespaced(text: str) -> tuple[str, TargetKind | None]:
    """Return "namespace/name", and the kind if the text says it."""
    for suffix, kind in (
        (SERVICE_SUFFIX, TargetKind.SERVICE),
        (WORKLOAD_SUFFIX, TargetKind.WORKLOAD),
    ):
        if text.endswith(suffix):
            name, _, namespace = text.removesuffix(suffix).rpartition(".")
            return f"{namespace}/{name}", kind
    return text, None


def _endpoint_order(endpoint: Endpoint) -> tuple[int, int, int]:
    number = endpoint.workload.id if endpoint.workload else 0
    if endpoint.address is None:
        return number, 0, 0
    return number, endpoint.address.version, int(endpoint.address)


def _unknown(message: str, hint: str) -> QuestionError:
    return QuestionError([Diagnostic("RUN0010", message, hint=hint)])

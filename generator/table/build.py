"""Make the rule table of an overlay: the one place that knows the order of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import chain
from operator import attrgetter
from typing import Final

from generator.memory import Kept
from generator.overlay.model import Overlay, Target
from generator.policy.model import Model
from generator.table.addresses import Homes, member_blocks
from generator.table.model import (
    RuleTable,
    TableBackend,
    TablePort,
    TableTarget,
    TableWorkload,
)
from generator.table.peers import Peers, PeersMemory, find_peers
from generator.table.ports import key_of
from generator.table.rules import StatementsMemory, number_rules
from generator.table.subjects import VIEWS, Assignment, SubjectsMemory, assign_subjects

DIGEST_BYTES: Final = 8
"""Of an identity digest; namespace and service account are compared as they are."""


class TableMemory:
    """What one table leaves to the next one, each with what it depends on.

    `statements`: what policies say, by the policy. `peers`: whom peers select, by the
    workloads of a namespace, and what that comes to. `subjects`: without ids of rules,
    by statements and what their peers come to, and with them. `targets`: those of a
    namespace, by those of the overlay and by the realm.
    """

    def __init__(self) -> None:
        self.statements = StatementsMemory()
        self.peers = PeersMemory()
        self.subjects = SubjectsMemory()
        self.targets: Kept[str, _Targets, tuple[TableTarget, ...]] = Kept()


def build_table(
    model: Model,
    overlay: Overlay,
    member_cidrs: Iterable[IPv4Network] = (),
    memory: TableMemory | None = None,
) -> RuleTable:
    """Make the rule table; `member_cidrs` are ranges where only members live."""
    memory = TableMemory() if memory is None else memory
    member_cidrs = tuple(member_cidrs)
    rules = number_rules(model.policies, memory.statements)
    homes = Homes.of([*member_cidrs, *_known_addresses(overlay)])
    peers = find_peers(model, overlay, rules, homes, memory.peers)
    subjects = assign_subjects(overlay, rules, peers, memory.subjects)
    return RuleTable(
        overlay_id=overlay.id,
        has_ipv4_instances=_has_ipv4_instances(overlay),
        has_audited_policies=any(policy.is_audited for policy in model.policies),
        label_keys=overlay.label_keys,
        realms={realm.id: realm.namespace for realm in overlay.realms},
        realm_classes=peers.realm_classes,
        workloads=tuple(_workloads(overlay, peers, subjects)),
        targets=_find_targets(overlay, memory),
        subjects=subjects.subjects,
        member_blocks=member_blocks(member_cidrs),
        chains=subjects.chains,
        rules=rules.rows,
        policies=rules.table_policies(),
    )


def _workloads(
    overlay: Overlay, peers: Peers, subjects: Assignment
) -> Iterator[TableWorkload]:
    ingress, egress, audited_ingress, audited_egress = (
        subjects.sets[view] for view in VIEWS
    )
    for workload in overlay.workloads:
        number = workload.id
        yield TableWorkload(
            id=number,
            realm=workload.realm,
            service_account=workload.service_account,
            revoked=workload.revoked,
            ingress=ingress[number],
            egress=egress[number],
            audited_ingress=audited_ingress[number],
            audited_egress=audited_egress[number],
            wide_peer=peers.wide[number],
            local_peer=peers.local[number],
            digest=workload.digest[:DIGEST_BYTES],
        )


def _known_addresses(overlay: Overlay) -> Iterator[IPv4Network]:
    for workload in overlay.workloads:
        for member in workload.members:
            for address in member.addresses:
                if isinstance(address, IPv4Address):
                    yield IPv4Network(address)


def _has_ipv4_instances(overlay: Overlay) -> bool:
    """False as soon as an endpoint has IPv6 addresses only: its instance is a hash."""
    return all(
        not member.is_mixed
        and any(isinstance(address, IPv4Address) for address in member.addresses)
        for workload in overlay.workloads
        for member in workload.members
        if member.addresses
    )


_Targets = tuple[int, tuple[Target, ...]]
"""A realm, and the targets there."""


def _find_targets(overlay: Overlay, memory: TableMemory) -> tuple[TableTarget, ...]:
    """Return the targets by id, without Services that no member is behind.

    Those lead out of the overlay.
    """
    memory.targets.start()
    realms = {realm.namespace: realm.id for realm in overlay.realms}
    by_namespace: dict[str, list[Target]] = {}
    for target in overlay.targets:
        if target.workload_ids:
            by_namespace.setdefault(target.namespace, []).append(target)
    found = (
        memory.targets.get(name, (realms[name], tuple(targets)), _targets)
        for name, targets in by_namespace.items()
    )
    return tuple(sorted(chain.from_iterable(found), key=attrgetter("id")))


def _targets(given: _Targets) -> tuple[TableTarget, ...]:
    realm, targets = given
    return tuple(_target(target, realm) for target in targets)


def _target(target: Target, realm: int) -> TableTarget:
    ports = tuple(
        TablePort(
            key_of(port.protocol, port.number),
            tuple(TableBackend(b.workload_id, b.port) for b in port.backends),
        )
        for port in target.ports
    )
    if not target.ports:
        passed = tuple(TableBackend(number, 0) for number in target.workload_ids)
        ports = (TablePort(0, passed),)
    return TableTarget(target.id, target.kind, realm, target.name, ports)

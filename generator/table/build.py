"""Make the rule table of an overlay: the one place that knows the order of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from generator.overlay.model import Overlay, Target
from generator.policy.model import Direction, Model
from generator.table.addresses import Homes, member_blocks
from generator.table.model import (
    RuleTable,
    TableBackend,
    TablePort,
    TableTarget,
    TableWorkload,
)
from generator.table.peers import find_peers
from generator.table.ports import key_of
from generator.table.rules import number_rules
from generator.table.subjects import View, assign_subjects

DIGEST_BYTES: Final = 8
"""Of an identity digest; namespace and service account are compared as they are."""


def build_table(
    model: Model, overlay: Overlay, member_cidrs: Iterable[IPv4Network] = ()
) -> RuleTable:
    """Make the rule table; `member_cidrs` are ranges where only members live."""
    member_cidrs = tuple(member_cidrs)
    rules = number_rules(model.policies)
    peers = find_peers(model, overlay, rules)
    homes = Homes.of([*member_cidrs, *_known_addresses(overlay)])
    subjects = assign_subjects(overlay, rules, peers, homes)
    sets = subjects.sets
    realms = {realm.namespace: realm.id for realm in overlay.realms}
    return RuleTable(
        overlay_id=overlay.id,
        has_ipv4_instances=_has_ipv4_instances(overlay),
        has_audited_policies=any(policy.is_audited for policy in model.policies),
        label_keys=overlay.label_keys,
        realms={realm.id: realm.namespace for realm in overlay.realms},
        realm_classes=peers.realm_classes,
        workloads=tuple(
            TableWorkload(
                id=workload.id,
                realm=workload.realm,
                service_account=workload.service_account,
                revoked=workload.revoked,
                ingress=sets[View(Direction.INGRESS, False)][workload.id],
                egress=sets[View(Direction.EGRESS, False)][workload.id],
                audited_ingress=sets[View(Direction.INGRESS, True)][workload.id],
                audited_egress=sets[View(Direction.EGRESS, True)][workload.id],
                wide_peer=peers.wide[workload.id],
                local_peer=peers.local[workload.id],
                digest=workload.digest[:DIGEST_BYTES],
            )
            for workload in overlay.workloads
        ),
        # A Service with no member behind it leads out of the overlay.
        targets=tuple(
            _target(target, realms[target.namespace])
            for target in overlay.targets
            if target.workload_ids
        ),
        subjects=subjects.subjects,
        member_blocks=member_blocks(member_cidrs),
        chains=subjects.chains,
        rules=rules.rows,
        policies=rules.table_policies(),
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

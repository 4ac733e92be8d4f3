"""Checks: ipBlocks that match nothing, or one pod only."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from generator.errors import Diagnostic, Note
from generator.lint.ground import Ground, rule_title
from generator.overlay.workloads import title
from generator.policy.model import BlockPeer, IPAddress, Member


def check_excepts(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0005: exceptions that leave nothing of their block."""
    for _, policy, rule in ground.rules():
        for peer in rule.peers or ():
            if isinstance(peer, BlockPeer) and _is_used_up(peer):
                message = (
                    f"{rule_title(policy, rule)}: the exceptions leave no address "
                    f"of {peer.cidr}"
                )
                yield Diagnostic("LNT0005", message, peer.span or rule.span)


def _is_used_up(peer: BlockPeer) -> bool:
    if isinstance(peer.cidr, IPv4Network):
        excepts4 = [e for e in peer.excepts if isinstance(e, IPv4Network)]
        return list(collapse_addresses(excepts4)) == [peer.cidr]
    excepts6 = [e for e in peer.excepts if isinstance(e, IPv6Network)]
    return list(collapse_addresses(excepts6)) == [peer.cidr]


def check_pod_addresses(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0006: a block that is the address of a pod, which will get another one."""
    owners: dict[IPAddress, Member] = {
        address: member
        for member in ground.model.members
        if not member.host_network and member.kind != "WorkloadEntry"
        for address in member.addresses
    }
    for _, policy, rule in ground.rules():
        for peer in rule.peers or ():
            if not isinstance(peer, BlockPeer) or peer.cidr.num_addresses > 1:
                continue
            owner = owners.get(peer.cidr.network_address)
            if owner is not None:
                message = (
                    f"{rule_title(policy, rule)}: {peer.cidr} is the address of a pod "
                    f"of {title(owner)}, which changes"
                )
                notes = (Note("the workload is here", owner.span),)
                span = peer.span or rule.span
                yield Diagnostic("LNT0006", message, span, notes=notes)

"""Which conditions of a rule a flow does not meet: none if the rule matches.

Where in the pipeline: `model + Asked -> misses -> trace, near misses`. For explanation
only: the verdict is the module's. A rule has peers, ports and, in an OverlayPolicy,
requests; in each list one entry must match. Of several entries the one that is closest
is spoken of. `is_ordered` is the Admin and the Baseline tier, where the first entry
that may match counts; in the normal tier rules only add.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from generator.analysis.explain.flow_ends import Asked, FlowEnd
from generator.analysis.explain.http_conditions import http_misses
from generator.analysis.explain.label_conditions import pod_misses
from generator.analysis.explain.misses import Field, Miss, Misses, fewest
from generator.analysis.explain.port_conditions import port_misses
from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    DomainPeer,
    NodePeer,
    OverlayPeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    Tier,
)
from generator.table.rules import closed
from generator.wording import listed


def rule_misses(asked: Asked, policy: Policy, rule: PolicyRule) -> Misses:
    """Return the conditions that keep a rule from matching; empty if it matches.

    A rule whose only misses are AMBIGUOUS ones can be read to match or not to match.
    """
    via: Misses = ()
    if rule.via:
        text = f"nothing proves that it has passed {listed(rule.via)}"
        via = (Miss(Field.VIA, text),)
    else:
        rule = closed(rule)
    is_ordered = policy.tier is not Tier.NORMAL
    http = http_misses(rule.http, asked.request, is_ordered=is_ordered)
    if rule.peers == ():
        return (Miss(Field.KIND, "the rule's list of peers is empty"), *http, *via)
    candidates = [
        (
            *peer_misses(peer, policy, rule, asked.peer),
            *port_misses(rule.ports, asked, peer),
        )
        for peer in (rule.peers if rule.peers is not None else (None,))
    ]
    return (*fewest(candidates), *http, *via)


def matches(misses: Misses) -> bool:
    return not misses


def is_unsure(misses: Misses) -> bool:
    """Tell whether it is the request alone that can be read in two ways."""
    return bool(misses) and all(miss.field is Field.AMBIGUOUS for miss in misses)


def peer_misses(
    peer: Peer | None, policy: Policy, rule: PolicyRule, end: FlowEnd
) -> Misses:
    """Return what keeps one entry of a list of peers from selecting an end."""
    match peer:
        case None:
            return ()
        case PodPeer():
            return pod_misses(peer, policy.namespace, end)
        case BlockPeer():
            return tuple(_block_misses(peer, end))
        case AccountPeer():
            return tuple(_account_misses(peer, end))
        case OverlayPeer():
            return tuple(_overlay_misses(peer, end))
        case DomainPeer() | NodePeer():
            return tuple(_unknown_misses(peer, rule, end))
        case _:
            assert_never(peer)


def _block_misses(peer: BlockPeer, end: FlowEnd) -> Iterator[Miss]:
    address = end.address
    if address is None:
        text = f"the address of {end.title} is not known, rule wants {peer.cidr}"
        yield Miss(Field.KIND, text)
    elif address not in peer.cidr:
        yield Miss(Field.ADDRESS, f"{address} is not in {peer.cidr}")
    else:
        for exception in peer.excepts:
            if address in exception:
                text = f"{address} is in the except {exception} of {peer.cidr}"
                yield Miss(Field.ADDRESS, text)
                return


def _account_misses(peer: AccountPeer, end: FlowEnd) -> Iterator[Miss]:
    wanted = f"{peer.namespace}/{peer.name}"
    if end.member is None:
        text = f"{end.title} is no workload, rule wants service account {wanted}"
        yield Miss(Field.KIND, text)
        return
    own = f"{end.member.namespace}/{end.member.service_account}"
    if own != wanted:
        yield Miss(Field.ACCOUNT, f"service account is {own}, rule wants {wanted}")


def _overlay_misses(peer: OverlayPeer, end: FlowEnd) -> Iterator[Miss]:
    if end.network is None:
        text = f"{end.title} has no overlay address, rule wants {peer.cidr}"
        yield Miss(Field.KIND, text)
    elif not end.network.subnet_of(peer.cidr):
        text = f"overlay address {end.network} is not in {peer.cidr}"
        yield Miss(Field.ADDRESS, text)


def _unknown_misses(
    peer: DomainPeer | NodePeer, rule: PolicyRule, end: FlowEnd
) -> Iterator[Miss]:
    """Fail closed, as the table does: Accept matches nobody, Deny all outside."""
    what = f"name {peer.pattern}" if isinstance(peer, DomainPeer) else "nodes"
    if end.member is not None:
        yield Miss(Field.KIND, f"{end.title} is a workload, rule wants {what}")
    elif rule.action is Action.ACCEPT:
        text = f"rule wants {what}, whose addresses are not known here"
        yield Miss(Field.KIND, text)

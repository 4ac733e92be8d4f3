"""Checks: subjects and peers that select nobody."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from generator.errors import Diagnostic, Note
from generator.lint.ground import Ground, policy_title, rule_title
from generator.lint.nobody import why_nobody
from generator.policy.model import (
    AccountPeer,
    LabelSelector,
    PodPeer,
    Policy,
    PolicyRule,
)
from generator.policy.overlay_peers import GROUP_PREFIX, USER_LABEL
from generator.source import Span


def check_subjects(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0001, LNT0002: a policy that is about nobody."""
    for policy in ground.policies:
        if ground.index.select(policy.subject, policy.namespace):
            continue
        why = why_nobody(policy.subject, policy.namespace, ground)
        code = "LNT0002" if why.is_empty else "LNT0001"
        message = f"{policy_title(policy)} selects no workload: {why.reason}"
        span = why.span or policy.subject.span or policy.span
        yield Diagnostic(code, message, span, why.hint)


def check_peers(ground: Ground) -> Iterator[Diagnostic]:
    """LNT0003, LNT0004: a peer that is nobody."""
    for _, policy, rule in ground.rules():
        for peer in rule.peers or ():
            if isinstance(peer, PodPeer):
                yield from _check_pods(peer, policy, rule, ground)
            elif isinstance(peer, AccountPeer) and not ground.index.account(peer):
                yield _no_account(peer, policy, rule, ground)


def _check_pods(
    peer: PodPeer, policy: Policy, rule: PolicyRule, ground: Ground
) -> Iterator[Diagnostic]:
    if ground.index.select(peer, policy.namespace):
        return
    title = rule_title(policy, rule)
    edge = _edge_name(peer)
    if edge:
        message = f"{title}: no edge endpoint belongs to the {edge}"
        yield Diagnostic("LNT0004", message, peer.span or rule.span)
        return
    why = why_nobody(peer, policy.namespace, ground)
    hint = why.hint
    notes: tuple[Note, ...] = ()
    neighbour = _split_peer(peer, policy, rule, ground)
    if neighbour is not None:
        hint = "join both to one entry: podSelector and namespaceSelector together"
        notes = (Note("namespaces with such pods are selected here", neighbour),)
    message = f"{title}: a peer selects nobody: {why.reason}"
    span = why.span or peer.span or rule.span
    yield Diagnostic("LNT0003", message, span, hint, notes)


def _split_peer(
    peer: PodPeer, policy: Policy, rule: PolicyRule, ground: Ground
) -> Span | None:
    """Find the namespaceSelector that was meant to stand in the same list entry.

    `- namespaceSelector: ...` and `- podSelector: ...` are two peers, of which the
    second means the policy's own namespace.
    """
    if peer.namespaces is not None:
        return None
    for other in rule.peers or ():
        if isinstance(other, PodPeer) and other.namespaces and other.pods is None:
            joined = PodPeer(peer.pods, other.namespaces)
            if ground.index.select(joined, policy.namespace):
                return other.span or rule.span
    return None


def _no_account(
    peer: AccountPeer, policy: Policy, rule: PolicyRule, ground: Ground
) -> Diagnostic:
    known = [
        name
        for namespace, name in ground.index.by_account
        if namespace == peer.namespace
    ]
    title = rule_title(policy, rule)
    account = f"{peer.namespace}/{peer.name}"
    message = f'{title}: no workload runs as the service account "{account}"'
    close = difflib.get_close_matches(peer.name, known, 1)
    hint = f"did you mean {close[0]}?" if close else ""
    return Diagnostic("LNT0003", message, peer.span or rule.span, hint)


def _edge_name(peer: PodPeer) -> str:
    """Return the user or group that a peer stands for, if it is one."""
    for requirement in (peer.pods or LabelSelector()).requirements:
        if requirement.key == USER_LABEL:
            return f'user "{", ".join(requirement.values)}"'
        if requirement.key.startswith(GROUP_PREFIX):
            return f'group "{requirement.key.removeprefix(GROUP_PREFIX)}"'
    return ""

"""Tell members apart that share an identity although a policy must not mix them.

Where in the pipeline: around `workloads`, before numbering. A rule names ports by
number or by name; a name means what each pod's containers say. Two members of one
workload that resolve a name differently would get one answer for two cases: one of
them would be opened too far. So a label in which they differ becomes part of
identities; if there is none the build stops (OVL0001). Both happen only if some rule
that names the port selects the workload at the end where the port is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from generator.errors import Diagnostic, Note, OverlayError
from generator.overlay.model import DEFAULT_CLUSTER, Identity, port_numbers
from generator.overlay.workloads import Grouping, group_members, title
from generator.policy.model import (
    Direction,
    LabelSelector,
    Member,
    Model,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
    protocols_of,
)
from generator.policy.selector import namespace_labels, selects
from generator.source import Span

PortName = tuple[str, Protocol]

CHANGING_KEYS: Final = frozenset(("pod-template-hash", "controller-revision-hash"))
"""Labels that controllers change with every roll-out: no part of an identity."""


@dataclass(frozen=True, slots=True)
class _Use:
    """Pods whose port of some name a rule opens. None selects everything."""

    namespace: str | None
    namespaces: LabelSelector | None
    pods: LabelSelector | None
    span: Span | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Collision:
    """Two members of one workload whose named port differs where a rule names it."""

    first: Member
    other: Member
    name: PortName
    use: _Use


def group_distinctly(model: Model, *, cluster: str = DEFAULT_CLUSTER) -> Grouping:
    """Group the endpoints, by as many labels more as named ports make necessary.

    Raises: OverlayError OVL0001 for members that no label tells apart, OVL0004.
    """
    more: frozenset[str] = frozenset()
    while True:
        grouping = group_members(model, cluster=cluster, more_keys=more)
        collisions = list(find_collisions(model, grouping))
        keys = {_telling_key(found) for found in collisions}
        if None in keys:
            stuck = (found for found in collisions if _telling_key(found) is None)
            raise OverlayError(_diagnose(found) for found in stuck)
        if not collisions:
            return grouping
        more |= {key for key in keys if key is not None}


def _telling_key(collision: Collision) -> str | None:
    """The first label key that both members have, with different values."""
    first, other = collision.first.labels, collision.other.labels
    common = (first.keys() & other.keys()) - CHANGING_KEYS
    return min((key for key in common if first[key] != other[key]), default=None)


def find_collisions(model: Model, grouping: Grouping) -> Iterator[Collision]:
    """Yield every workload that a named port splits."""
    uses = uses_by_port(model.policies)
    for identity, members in grouping.groups.items():
        if len(members) == 1:
            continue
        declared = {(p.name, p.protocol) for m in members for p in m.ports}
        for name in sorted(declared & uses.keys()):
            pair = _differing(members, name)
            use = pair and _first_seeing(uses[name], identity, model)
            if pair and use:
                yield Collision(*pair, name, use)


def uses_by_port(
    policies: Iterable[Policy],
) -> Mapping[PortName, tuple[_Use, ...]]:
    """Return who uses ports of a name: the pods at whose end rules open them."""
    uses: dict[PortName, dict[_Use, None]] = {}
    for policy in policies:
        for rule in policy.rules:
            named = [port for port in rule.ports or () if port.name]
            for port in named if _counts(policy, rule) else ():
                for protocol in protocols_of(port):
                    found = uses.setdefault((port.name, protocol), {})
                    found.update(dict.fromkeys(_uses(policy, rule, port)))
    return {name: tuple(found) for name, found in uses.items()}


def _counts(policy: Policy, rule: PolicyRule) -> bool:
    return policy.tier is not Tier.NORMAL or rule.direction in policy.isolates


def _uses(policy: Policy, rule: PolicyRule, port: PortMatch) -> Iterator[_Use]:
    """Yield the pods at whose end the port of a rule is.

    A named port on an ipBlock matches nothing, so a block peer uses none.
    """
    if rule.direction is Direction.INGRESS:
        yield _use(policy, policy.subject, port)
    elif rule.peers is None:
        yield _Use(None, None, None, port.span)
    else:
        for peer in rule.peers:
            if isinstance(peer, PodPeer):
                yield _use(policy, peer, port)


def _use(policy: Policy, pods: PodPeer, port: PortMatch) -> _Use:
    own = policy.namespace if pods.namespaces is None else None
    return _Use(own, pods.namespaces, pods.pods, port.span)


def _differing(
    members: tuple[Member, ...], name: PortName
) -> tuple[Member, Member] | None:
    first = members[0]
    expected = port_numbers(first, *name)
    for other in members[1:]:
        if port_numbers(other, *name) != expected:
            return first, other
    return None


def _first_seeing(
    uses: Iterable[_Use], identity: Identity, model: Model
) -> _Use | None:
    labels = namespace_labels(model, identity.namespace)
    for use in uses:
        if use.namespace is not None and use.namespace != identity.namespace:
            continue
        if use.namespaces is not None and not selects(use.namespaces, labels):
            continue
        if use.pods is None or selects(use.pods, dict(identity.labels)):
            return use
    return None


def _diagnose(collision: Collision) -> Diagnostic:
    first, other, use = collision.first, collision.other, collision.use
    port, protocol = collision.name
    message = (
        f"{title(other)} and {title(first)} are one workload to policy, but port "
        f'"{port}" ({protocol}) is {_spell(other, collision.name)} in one and '
        f"{_spell(first, collision.name)} in the other"
    )
    notes = [Note("the other one is here", first.span)]
    if use.span is not None:
        notes.append(Note("this rule names the port", use.span))
    return Diagnostic("OVL0001", message, other.span, notes=tuple(notes))


def _spell(member: Member, name: PortName) -> str:
    numbers = port_numbers(member, *name)
    return ", ".join(map(str, numbers)) or "missing"

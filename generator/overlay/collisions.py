"""Tell members apart that share an identity although a policy must not mix them.

Where in the pipeline: around `workloads`, before numbering. A rule names ports by
number or by name; a name means what each pod's containers say. Two members of one
workload that resolve a name differently would get one answer for two cases: one of
them would be opened too far. So a label in which they differ becomes part of
identities; if there is none the build stops (OVL0001). Both happen only if some rule
that names the port selects the workload at the end where the port is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from generator.errors import Diagnostic, Note, OverlayError
from generator.overlay.looks import Looks, PortName, Use
from generator.overlay.model import Identity, port_numbers
from generator.overlay.workloads import (
    Grouping,
    GroupingMemory,
    group_members,
    title,
)
from generator.policy.model import Member, Model
from generator.policy.selector import namespace_labels, selects

CHANGING_KEYS: Final = frozenset(("pod-template-hash", "controller-revision-hash"))
"""Labels that controllers change with every roll-out: no part of an identity."""


@dataclass(frozen=True, slots=True)
class Collision:
    """Two members of one workload whose named port differs where a rule names it."""

    first: Member
    other: Member
    name: PortName
    use: Use


def group_distinctly(
    model: Model, looks: Looks, cluster: str, memory: GroupingMemory
) -> Grouping:
    """Group the endpoints, by as many labels more as named ports make necessary.

    Raises: OverlayError OVL0001 for members that no label tells apart, OVL0004.
    """
    label_keys = looks.label_keys
    while True:
        grouping = group_members(model, label_keys, cluster, memory)
        collisions = list(_find_collisions(model, looks, grouping))
        keys = {_telling_key(found) for found in collisions}
        if None in keys:
            stuck = (found for found in collisions if _telling_key(found) is None)
            raise OverlayError(_diagnose(found) for found in stuck)
        if not collisions:
            return grouping
        label_keys |= {key for key in keys if key is not None}


def _telling_key(collision: Collision) -> str | None:
    """The first label key that both members have, with different values."""
    first, other = collision.first.labels, collision.other.labels
    common = (first.keys() & other.keys()) - CHANGING_KEYS
    return min((key for key in common if first[key] != other[key]), default=None)


def _find_collisions(
    model: Model, looks: Looks, grouping: Grouping
) -> Iterator[Collision]:
    """Yield every workload that a named port splits."""
    uses = looks.uses
    for identity, members in grouping.groups.items():
        if len(members) == 1:
            continue
        declared = {(p.name, p.protocol) for m in members for p in m.ports}
        for name in sorted(declared & uses.keys()):
            pair = _differing(members, name)
            use = pair and _first_seeing(uses[name], identity, model)
            if pair and use:
                yield Collision(*pair, name, use)


def _differing(
    members: tuple[Member, ...], name: PortName
) -> tuple[Member, Member] | None:
    first = members[0]
    expected = port_numbers(first, *name)
    for other in members[1:]:
        if port_numbers(other, *name) != expected:
            return first, other
    return None


def _first_seeing(uses: Iterable[Use], identity: Identity, model: Model) -> Use | None:
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

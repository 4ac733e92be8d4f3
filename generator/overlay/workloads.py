"""Group members into workloads: what policy cannot tell apart is one.

Where in the pipeline: `model -> identities -> lock file -> overlay`. An identity is
namespace, service account and the policy-relevant labels that a member has: those
whose key stands in a pod selector of some policy, subject or peer. The result does
not depend on the order of the manifests. Numbers come later, from the lock file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from generator.errors import Diagnostic, OverlayError
from generator.memory import Kept, Same
from generator.overlay.model import Identity, LabelPairs
from generator.policy.model import Labels, Member, Model, Policy
from generator.policy.selector import pod_selectors

_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]*")


Groups = Mapping[Identity, tuple[Member, ...]]
"""Members by identity, both sorted."""


@dataclass(frozen=True, slots=True, eq=False)
class Residents:
    """The members of one namespace; `left_out` ones are on the host network.

    `problems` are names that an identity cannot carry. Objects are compared, not what
    is in them: the same ones are the same members.
    """

    groups: Groups
    left_out: tuple[Member, ...]
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """All members by identity; the keys that count, bytewise ascending."""

    cluster: str
    label_keys: tuple[str, ...]
    residents: Mapping[str, Residents]
    groups: Groups

    @property
    def left_out(self) -> tuple[Member, ...]:
        return tuple(m for some in self.residents.values() for m in some.left_out)


Seen = tuple[Same[Member], frozenset[str], str]
"""Members of a namespace, the label keys that count, and the cluster."""

GroupingMemory = Kept[tuple[str, frozenset[str]], Seen, Residents]
"""Residents by namespace and label keys, since one build may try several."""


def group_members(
    model: Model, keys: frozenset[str], cluster: str, memory: GroupingMemory
) -> Grouping:
    """Group the endpoints of a model by identity; labels of `keys` count.

    Raises: OverlayError OVL0004 for a name that an identity cannot carry.
    """
    by_namespace: dict[str, list[Member]] = {}
    for member in model.members:
        by_namespace.setdefault(member.namespace, []).append(member)
    residents = {
        name: memory.get((name, keys), (Same(members), keys, cluster), _group)
        for name, members in sorted(by_namespace.items())
    }
    problems = [*_find_odd_keys(model.policies, keys)]
    groups: dict[Identity, tuple[Member, ...]] = {}
    for some in residents.values():
        groups.update(some.groups)
        problems += some.problems
    if problems:
        raise OverlayError(problems)
    return Grouping(cluster, tuple(sorted(keys)), residents, groups)


def _group(seen: Seen) -> Residents:
    """Group the members of one namespace."""
    members, keys, cluster = seen
    found: dict[Identity, list[Member]] = {}
    left_out: list[Member] = []
    for member in sorted(members.objects, key=_member_order):
        if member.host_network:
            left_out.append(member)
        else:
            found.setdefault(identity_of(member, keys, cluster), []).append(member)
    groups = {identity: tuple(found[identity]) for identity in sorted(found)}
    return Residents(groups, tuple(left_out), tuple(_find_odd_names(groups)))


def identity_of(member: Member, keys: frozenset[str], cluster: str) -> Identity:
    """Return what `keys` can tell about a member."""
    labels = restrict(member.labels, keys)
    return Identity(cluster, member.namespace, member.service_account, labels)


def restrict(labels: Labels, keys: frozenset[str]) -> LabelPairs:
    """Return the labels of `keys` that are present, sorted."""
    return tuple(sorted(pair for pair in labels.items() if pair[0] in keys))


def warn_left_out(grouping: Grouping) -> Iterator[Diagnostic]:
    """Name every member that is no endpoint of the overlay."""
    for member in grouping.left_out:
        message = f"{title(member)} uses the host network and is not in the overlay"
        yield Diagnostic("OVL0005", message, member.span)


def title(member: Member) -> str:
    """Return how messages name a member."""
    return f'{member.kind} "{member.namespace}/{member.name}"'


def _member_order(member: Member) -> tuple[str, str, str, list[tuple[str, str]]]:
    return member.namespace, member.name, member.kind, sorted(member.labels.items())


# --- names -------------------------------------------------------------------------


def is_plain(name: str) -> bool:
    """Tell whether a name has only characters that Kubernetes allows in one.

    Then no two identities spell alike, YAML and JSON need no escapes, and a host name
    is one.
    """
    return _PLAIN.fullmatch(name) is not None


def _find_odd_keys(
    policies: Iterable[Policy], keys: frozenset[str]
) -> Iterator[Diagnostic]:
    if all(map(is_plain, keys)):
        return
    requirements = (r for s in pod_selectors(policies) for r in s.requirements)
    for requirement in requirements:
        if not is_plain(requirement.key):
            message = f"{requirement.key!a} is not a label key"
            yield Diagnostic("OVL0004", message, requirement.span)


def _find_odd_names(groups: Groups) -> Iterator[Diagnostic]:
    for identity, members in groups.items():
        names = [identity.cluster, identity.namespace, identity.service_account]
        names += [text for pair in identity.labels for text in pair]
        if not is_plain("".join(names)):
            odd = next(name for name in names if not is_plain(name))
            message = f"{title(members[0])} cannot have an identity with {odd!a}"
            yield Diagnostic("OVL0004", message, members[0].span)

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
from generator.overlay.model import DEFAULT_CLUSTER, Identity, LabelPairs
from generator.policy.model import Labels, Member, Model, Policy
from generator.policy.selector import keys_of, pod_selectors

_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]*")


@dataclass(frozen=True, slots=True)
class Grouping:
    """Members by identity, both sorted; the keys that count, bytewise ascending.

    `left_out` members are on the host network.
    """

    cluster: str
    label_keys: tuple[str, ...]
    groups: Mapping[Identity, tuple[Member, ...]]
    left_out: tuple[Member, ...]


def group_members(
    model: Model,
    *,
    cluster: str = DEFAULT_CLUSTER,
    more_keys: frozenset[str] = frozenset(),
) -> Grouping:
    """Group the endpoints of a model by identity; `more_keys` count like relevant ones.

    Raises: OverlayError OVL0004 for a name that an identity cannot carry.
    """
    keys = keys_of(pod_selectors(model.policies)) | more_keys
    found: dict[Identity, list[Member]] = {}
    left_out: list[Member] = []
    for member in sorted(model.members, key=_member_order):
        if member.host_network:
            left_out.append(member)
            continue
        found.setdefault(identity_of(member, keys, cluster), []).append(member)
    groups = {identity: tuple(found[identity]) for identity in sorted(found)}
    problems = [*_find_odd_keys(model.policies), *_find_odd_names(groups)]
    if problems:
        raise OverlayError(problems)
    return Grouping(cluster, tuple(sorted(keys)), groups, tuple(left_out))


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


def _find_odd_keys(policies: Iterable[Policy]) -> Iterator[Diagnostic]:
    requirements = (r for s in pod_selectors(policies) for r in s.requirements)
    for requirement in requirements:
        if not is_plain(requirement.key):
            message = f"{requirement.key!a} is not a label key"
            yield Diagnostic("OVL0004", message, requirement.span)


def _find_odd_names(
    groups: Mapping[Identity, tuple[Member, ...]],
) -> Iterator[Diagnostic]:
    for identity, members in groups.items():
        names = [identity.cluster, identity.namespace, identity.service_account]
        names += [text for pair in identity.labels for text in pair]
        if not is_plain("".join(names)):
            odd = next(name for name in names if not is_plain(name))
            message = f"{title(members[0])} cannot have an identity with {odd!a}"
            yield Diagnostic("OVL0004", message, members[0].span)

"""Which requirements of a peer an end of a flow does not meet, in words.

    pod label app=web, rule wants app=cart
    namespace is team-b, rule wants the policy's own, shop

Selectors are evaluated by generator/policy/selector.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.analysis.explain.flow_ends import FlowEnd
from generator.analysis.explain.misses import Field, Miss, Misses
from generator.policy.model import (
    NAME_LABEL,
    Labels,
    LabelSelector,
    Member,
    Operator,
    PodPeer,
    Requirement,
)
from generator.policy.overlay_peers import GROUP_PREFIX, USER_LABEL
from generator.policy.selector import meets
from generator.wording import listed, requirement_text


def pod_misses(peer: PodPeer, policy_namespace: str, end: FlowEnd) -> Misses:
    """Return what keeps a pod peer from selecting an end."""
    if end.member is None:
        return (Miss(Field.KIND, f"{end.title} is no workload, rule wants pods"),)
    found = list(_namespace_misses(peer, policy_namespace, end, end.member))
    if peer.pods is not None:
        found += _selector_misses(peer.pods, end.member.labels, Field.POD)
    return tuple(found)


def _namespace_misses(
    peer: PodPeer, policy_namespace: str, end: FlowEnd, member: Member
) -> Iterator[Miss]:
    if peer.namespaces is not None:
        labels = end.namespace_labels or {}
        yield from _selector_misses(peer.namespaces, labels, Field.NAMESPACE)
    elif member.namespace != policy_namespace:
        text = (
            f"namespace is {member.namespace}, rule wants the policy's own, "
            f"{policy_namespace}, since it has no namespaceSelector"
        )
        yield Miss(Field.NAMESPACE, text)


def _selector_misses(
    selector: LabelSelector, labels: Labels, field: Field
) -> Iterator[Miss]:
    for requirement in selector.requirements:
        if not meets(requirement, labels):
            yield Miss(field, _text(requirement, labels, field))


def _text(requirement: Requirement, labels: Labels, field: Field) -> str:
    """Say what is there and what the rule wants."""
    key, values = requirement.key, listed(requirement.values)
    if field is Field.NAMESPACE and key == NAME_LABEL and key in labels:
        negated = "another than " if requirement.operator is Operator.NOT_IN else ""
        return f"namespace is {labels[key]}, rule wants {negated}{values}"
    if field is Field.POD and key == USER_LABEL:
        return f"user is {labels.get(key, 'nobody')}, rule wants {values}"
    if field is Field.POD and key.startswith(GROUP_PREFIX) and key not in labels:
        return f"it is not in group {key.removeprefix(GROUP_PREFIX)}"
    what = "pod label" if field is Field.POD else "namespace label"
    wanted = requirement_text(requirement)
    if key in labels:
        return f"{what} {key}={labels[key]}, rule wants {wanted}"
    is_all = requirement.operator is Operator.EXISTS
    return f"{what} {key} is missing" + ("" if is_all else f", rule wants {wanted}")

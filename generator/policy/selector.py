"""Evaluate label selectors, and list the keys that they look at.

Used by whatever compiles policies. The oracle evaluates selectors on its own, on
purpose: it must not share a mistake with this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.policy.model import (
    NAME_LABEL,
    Labels,
    LabelSelector,
    Model,
    Operator,
    PodPeer,
    Policy,
    Requirement,
)


def selects(selector: LabelSelector, labels: Labels) -> bool:
    """Tell whether labels meet every requirement: "The requirements are ANDed."."""
    return all(meets(requirement, labels) for requirement in selector.requirements)


def meets(requirement: Requirement, labels: Labels) -> bool:
    """Tell whether labels meet one requirement.

    apimachinery, `Requirement.Matches`: "There is a match in the following cases:
    (1) The operator is Exists and Labels has the Requirement's key. (2) The operator
    is In, Labels has the Requirement's key and Labels' value for that key is in
    Requirement's value set. (3) The operator is NotIn, Labels has the Requirement's
    key and Labels' value for that key is not in Requirement's value set. (4) The
    operator is DoesNotExist or NotIn and Labels does not have the Requirement's key."
    """
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.EXISTS:
            return value is not None
        case Operator.IN:
            return value is not None and value in requirement.values
        case Operator.NOT_IN:
            return value is None or value not in requirement.values
        case Operator.DOES_NOT_EXIST:
            return value is None


def peer_selects(
    peer: PodPeer, policy_namespace: str, namespace: str, labels: Labels, model: Model
) -> bool:
    """Tell whether a peer of a policy in `policy_namespace` selects a pod's labels."""
    if peer.namespaces is None and namespace != policy_namespace:
        return False
    if peer.namespaces is not None and not selects(
        peer.namespaces, namespace_labels(model, namespace)
    ):
        return False
    return peer.pods is None or selects(peer.pods, labels)


def namespace_labels(model: Model, name: str) -> Labels:
    """Return a namespace's labels; one that nobody mentions has its name label."""
    namespace = model.namespaces.get(name)
    return {NAME_LABEL: name} if namespace is None else namespace.labels


def pod_selectors(policies: Iterable[Policy]) -> Iterator[LabelSelector]:
    """Yield every selector that looks at pod labels: subjects and peers."""
    for policy in policies:
        if policy.subject.pods is not None:
            yield policy.subject.pods
        for rule in policy.rules:
            for peer in rule.peers or ():
                if isinstance(peer, PodPeer) and peer.pods is not None:
                    yield peer.pods


def keys_of(selectors: Iterable[LabelSelector]) -> frozenset[str]:
    """Return the label keys that selectors look at."""
    return frozenset(r.key for s in selectors for r in s.requirements)

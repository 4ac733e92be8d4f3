"""Say why a selector selects nobody, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from generator.lint.ground import Ground
from generator.lint.index import Bits
from generator.policy.model import (
    NAME_LABEL,
    LabelSelector,
    PodPeer,
    Requirement,
)
from generator.policy.selector import meets
from generator.source import Span
from generator.wording import requirement_text

_CLOSE: Final = 0.75
"""A higher bar than difflib's: labels are short, and any two look alike a little."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """Why nobody is selected; `is_empty`: there is nobody to select from."""

    reason: str
    hint: str = ""
    span: Span | None = None
    is_empty: bool = False


def why_nobody(peer: PodPeer, policy_namespace: str, ground: Ground) -> Nobody:
    """Explain a peer or subject that selects nobody."""
    index = ground.index
    if index.select_with_host_network(peer, policy_namespace):
        hint = "pods on the host network are judged by their node's address only"
        return Nobody("all that it selects is on the host network", hint)
    if not index.namespaces_of(peer, policy_namespace):
        return _no_namespace(peer.namespaces or LabelSelector(), ground)
    around = index.in_namespaces(peer, policy_namespace)
    names = index.namespaces_of(peer, policy_namespace)
    place = _namespaces_text(names)
    if not around:
        return Nobody(f"there are no workloads in {place}", is_empty=True)
    return _no_pod(peer, place, around, ground)


def _namespaces_text(names: list[str]) -> str:
    if len(names) == 1:
        return f'namespace "{names[0]}"'
    return f"the {len(names)} namespaces that it selects"


def _no_namespace(selector: LabelSelector, ground: Ground) -> Nobody:
    namespaces = ground.model.namespaces
    for requirement in selector.requirements:
        if any(meets(requirement, n.labels) for n in namespaces.values()):
            continue
        values = {
            n.labels[requirement.key]
            for n in namespaces.values()
            if requirement.key in n.labels
        }
        keys = {key for n in namespaces.values() for key in n.labels}
        if requirement.key == NAME_LABEL:
            named = " or ".join(f'"{value}"' for value in requirement.values)
            reason = f"there is no namespace {named} here"
        else:
            reason = f"no namespace has {requirement_text(requirement)}"
        return Nobody(reason, _suggest(requirement, keys, values), requirement.span)
    together = _selector_text(selector)
    return Nobody(f"no namespace has {together} together")


def _no_pod(peer: PodPeer, place: str, around: Bits, ground: Ground) -> Nobody:
    pods = peer.pods or LabelSelector()
    members = ground.index.members(around)
    for requirement in pods.requirements:
        if any(meets(requirement, member.labels) for member in members):
            continue
        values = {
            member.labels[requirement.key]
            for member in members
            if requirement.key in member.labels
        }
        keys = {key for member in members for key in member.labels}
        reason = f"no pod in {place} has {requirement_text(requirement)}"
        return Nobody(reason, _suggest(requirement, keys, values), requirement.span)
    return Nobody(f"no pod in {place} has {_selector_text(pods)} together")


def _selector_text(selector: LabelSelector) -> str:
    return " and ".join(map(requirement_text, selector.requirements))


def _suggest(
    requirement: Requirement, keys: Iterable[str], values: Iterable[str]
) -> str:
    """Guess at a misspelt value, then at a misspelt key."""
    close = [
        match
        for value in requirement.values
        for match in difflib.get_close_matches(value, sorted(values), 1, _CLOSE)
    ]
    if close:
        return f"did you mean {requirement.key}={close[0]}?"
    if requirement.key not in keys:
        found = difflib.get_close_matches(requirement.key, sorted(keys), 1, _CLOSE)
        return f'did you mean the label "{found[0]}"?' if found else ""
    return ""

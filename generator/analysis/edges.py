"""Who the users and groups of edge endpoints are: labels, in namespaces of edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.analysis.errors import QuestionError
from generator.policy.model import Member, Model
from generator.policy.overlay_peers import EDGE_LABEL, GROUP_PREFIX, USER_LABEL
from generator.policy.selector import namespace_labels

USER: Final = "user"
GROUP: Final = "group"


def parse_edge(text: str) -> tuple[str, str] | None:
    """Take `user:alice` or `group:eng` apart; None: it is neither."""
    what, colon, who = text.partition(":")
    return (what, who) if colon and what in (USER, GROUP) else None


def edge_members(
    what: str, who: str, members: Iterable[Member], model: Model
) -> tuple[Member, ...]:
    """Return the edge endpoints of a user or group. Raises: QuestionError RUN0017."""
    found = tuple(_of(what, who, members, model))
    if not found:
        label = f"{USER_LABEL}={who}" if what == USER else f"{GROUP_PREFIX}{who}"
        message = f"no edge endpoint is of {what} {who!a}"
        hint = (
            f"their endpoints have the label {label}, in a namespace with the label "
            f"{EDGE_LABEL}=true"
        )
        raise QuestionError.of("RUN0017", message, hint=hint)
    return found


def _of(
    what: str, who: str, members: Iterable[Member], model: Model
) -> Iterator[Member]:
    for member in members:
        labels = member.labels
        is_meant = (
            labels.get(USER_LABEL) == who
            if what == USER
            else f"{GROUP_PREFIX}{who}" in labels
        )
        edge = namespace_labels(model, member.namespace).get(EDGE_LABEL)
        if is_meant and edge == "true":
            yield member

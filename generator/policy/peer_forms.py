"""Which form a peer has, and what becomes of a rule with a peer of no known form.

Shared by the cluster-wide kinds and OverlayPolicy. "Exactly one of the selector
pointers must be set for a given peer. If a consumer observes none of its fields are
set, they must assume an unknown option has been specified and fail closed."
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.model import Action, Direction, Peer, PolicyRule

PEER_FIELDS: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
"""The field of a rule that has its peers."""

_SPELLING: Final = 0.7


@dataclass(frozen=True, slots=True)
class PeerList:
    """Peers that are known, and whether that is all of them."""

    peers: tuple[Peer, ...]
    is_complete: bool


def form_of(
    value: Value, forms: Collection[str], action: Action, findings: Findings
) -> str | None:
    """Return the field that is set; None if there is none that pepmesh knows.

    A misspelt field is an error. A field that resembles nothing is an option of an
    API that is newer than pepmesh: a warning, and the caller fails closed.
    """
    names = [key.text() for key, _ in value.pairs()]
    given = [name for name in forms if value.get(name) is not None]
    unknown = [name for name in names if name not in forms]
    if unknown and (given or any(_resembles(name, forms) for name in unknown)):
        value.refuse_unknown(forms, findings)
    elif not given:
        _warn_of_unknown(value, unknown, action, findings)
    if len(given) > 1:
        raise value.error("POL0035", f"{' and '.join(given)} in one peer")
    return given[0] if given else None


def fail_closed(rule: PolicyRule) -> PolicyRule:
    """Return what a rule with unknown peers does: an Accept is what is known of it,
    anything else denies everything."""
    if rule.action is Action.ACCEPT:
        return rule
    return replace(rule, peers=None, ports=None, http=None, action=Action.DENY)


def _resembles(name: str, forms: Collection[str]) -> bool:
    return bool(difflib.get_close_matches(name, forms, n=1, cutoff=_SPELLING))


def _warn_of_unknown(
    value: Value, unknown: list[str], action: Action, findings: Findings
) -> None:
    shown = f'the peer "{unknown[0]}" is unknown' if unknown else "an empty peer"
    effect = "matches nothing"
    if action is not Action.ACCEPT:
        effect = "makes this rule deny everything"
    message = f"{value.path}: {shown}, it {effect}"
    findings.add("POL0040", message, value.first_line)

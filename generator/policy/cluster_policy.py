"""Read ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy.

Where in the pipeline: `Manifest -> model.Policy`, in the tier Admin or Baseline. The
words of each kind are in `dialects`, peers and ports in `cluster_peers` and
`cluster_ports`. Quotations are the API's own sentences. These kinds isolate nobody:
traffic that no rule matches goes on to the next tier. So a rule that is lost may open
what it denies, and a rule too many may too: any doubt stops the load.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from generator.policy.cluster_peers import Place, read_peers, read_subject
from generator.policy.cluster_ports import read_ports
from generator.policy.dialects import DIALECTS, Dialect
from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.lists import read_list
from generator.policy.model import Action, Direction, Policy, PolicyRule, Tier
from generator.policy.peer_reader import warn_of_named_ports

_DOCUMENT: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_PEERS: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_TIERS: Final = {"Admin": Tier.ADMIN, "Baseline": Tier.BASELINE}
_LAST_PRIORITY: Final = 1000
_NAME_LENGTH: Final = 100
_ONLY_NAME: Final = "default"


def read_cluster_policy(manifest: Manifest, findings: Findings) -> Policy:
    """Read one policy of a cluster-wide kind."""
    dialect = DIALECTS[manifest.kind]
    manifest.body.refuse_unknown(_DOCUMENT, findings)
    spec = manifest.body.require("spec")
    spec.refuse_unknown(_fields(dialect), findings)
    tier = Tier.ADMIN
    with findings.collect():
        tier = _read_tier(spec, dialect)
    # Rules first: what is wrong in them is reported whatever is wrong elsewhere.
    rules = tuple(_RuleReader(dialect, tier, findings).rules(spec))
    with findings.collect():
        _check_name(manifest, dialect)
    priority = 0
    with findings.collect():
        priority = _read_priority(spec, dialect)
    subject = read_subject(spec.require("subject"), dialect, findings)
    span = manifest.span
    name, isolates = manifest.name(), frozenset[Direction]()
    kind = dialect.kind
    return Policy(kind, "", name, tier, priority, subject, isolates, rules, span)


def _fields(dialect: Dialect) -> Collection[str]:
    fields = {"subject", "ingress", "egress"}
    fields |= {"priority"} if dialect.has_priority else set()
    return fields | ({"tier"} if dialect.tier is None else set())


def _check_name(manifest: Manifest, dialect: Dialect) -> None:
    """Refuse a second baseline policy.

    "BaselineAdminNetworkPolicy is a cluster level resource that is part of the
    AdminNetworkPolicy API. [...] There can be only one": its name is `default`.
    """
    name = manifest.name()
    if not dialect.has_priority and name != _ONLY_NAME:
        value = manifest.metadata.require("name")
        message = f'a {dialect.kind} is called "{_ONLY_NAME}", not "{name}"'
        raise value.error("POL0042", message)


def _read_tier(spec: Value, dialect: Dialect) -> Tier:
    if dialect.tier is not None:
        return dialect.tier
    value = spec.require("tier")
    return _TIERS[_one_of(value, _TIERS, "POL0031", "tier")]


def _read_priority(spec: Value, dialect: Dialect) -> int:
    """Read the priority: "a value from 0 to 1000 [...] policies with lower priority
    values have higher precedence"."""
    if not dialect.has_priority:
        return 0
    value = spec.require("priority")
    number = value.integer()
    if not 0 <= number <= _LAST_PRIORITY:
        raise value.error("POL0032", f"{number} is not a priority")
    return number


def _one_of(value: Value, known: Collection[str], code: str, noun: str) -> str:
    text = value.text()
    if text in known:
        return text
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    words = " or ".join(sorted(known))
    hint = f'did you mean "{close[0]}"?' if close else f"use {words}"
    raise value.error(code, f'unknown {noun} "{text}"', hint)


@dataclass(frozen=True, slots=True)
class _RuleReader:
    """Reads the rules of one policy."""

    dialect: Dialect
    tier: Tier
    findings: Findings

    def rules(self, spec: Value) -> Iterator[PolicyRule]:
        """Yield ingress rules, then egress rules, each in the order of its list.

        "The relative precedence of the rules within a single CNP object will be
        determined by the order in which the rule is written."
        """
        for direction in Direction:
            items: list[Value] = []
            with self.findings.collect():
                items += read_list(spec.get(direction.value), 0, self.dialect.most)
            for number, item in enumerate(items):
                with self.findings.collect():
                    yield self._rule(item, direction, number)

    def _rule(self, value: Value, direction: Direction, number: int) -> PolicyRule:
        field = _PEERS[direction]
        known = {"name", "action", field, self.dialect.ports}
        value.refuse_unknown(known, self.findings)
        name = self._name(value)
        action = self._action(value.require("action"))
        place = Place(self.dialect, self.tier, direction, action, self.findings)
        found = read_peers(value.require(field), place)
        # "If unspecified, protocol-specific attributes will not be used to match."
        ports = value.get(self.dialect.ports)
        matches = read_ports(ports, self.dialect, self.findings) if ports else None
        if not found.is_complete and action is not Action.ACCEPT:
            # "they must assume an unknown option has been specified and fail closed"
            span = value.first_line
            return PolicyRule(direction, number, None, None, span, Action.DENY, name)
        span = value.first_line
        rule = PolicyRule(direction, number, found.peers, matches, span, action, name)
        warn_of_named_ports(rule, "networks", self.findings)
        return rule

    def _name(self, value: Value) -> str:
        given = value.get("name")
        if given is None:
            return ""
        name = given.text()
        if len(name) > _NAME_LENGTH or not name.isprintable():
            message = "the name of a rule has up to 100 printable characters"
            raise given.error("POL0019", message)
        return name

    def _action(self, value: Value) -> Action:
        actions = self.dialect.actions
        text = value.text()
        if text in _SYNONYMS and text not in actions and _SYNONYMS[text] in actions:
            message = f'unknown action "{text}"'
            hint = f'{self.dialect.kind} says "{_SYNONYMS[text]}"'
            raise value.error("POL0030", message, hint)
        return actions[_one_of(value, actions, "POL0030", "action")]


_SYNONYMS: Final = {"Allow": "Accept", "Accept": "Allow"}

"""Read ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy.

Where in the pipeline: `Manifest -> model.Policy`, in the tier Admin or Baseline. The
words of each kind are in `dialects`, peers and ports in `cluster_peers` and
`cluster_ports`. Quotations are the API's own sentences. These kinds isolate nobody:
traffic that no rule matches goes on to the next tier. So a rule that is lost may open
what it denies, and a rule too many may too: any doubt stops the load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from generator.policy.cluster_peers import Place, read_peers, read_subject
from generator.policy.cluster_ports import read_ports
from generator.policy.dialects import DIALECTS, Dialect
from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_rule_name
from generator.policy.lists import read_list
from generator.policy.model import Direction, Policy, PolicyRule, Tier
from generator.policy.peer_forms import PEER_FIELDS, fail_closed
from generator.policy.peer_reader import warn_of_named_ports
from generator.policy.tiers import read_action, read_priority, read_tier

_DOCUMENT: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_TIERS: Final = {"Admin": Tier.ADMIN, "Baseline": Tier.BASELINE}
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
    return read_tier(spec.require("tier"), _TIERS)


def _read_priority(spec: Value, dialect: Dialect) -> int:
    return read_priority(spec.require("priority")) if dialect.has_priority else 0


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
        field = PEER_FIELDS[direction]
        known = {"name", "action", field, self.dialect.ports}
        value.refuse_unknown(known, self.findings)
        name = read_rule_name(value.get("name"))
        action = value.require("action")
        does = read_action(action, self.dialect.kind, self.dialect.actions)
        place = Place(self.dialect, self.tier, direction, does, self.findings)
        found = read_peers(value.require(field), place)
        # "If unspecified, protocol-specific attributes will not be used to match."
        ports = value.get(self.dialect.ports)
        matches = read_ports(ports, self.dialect, self.findings) if ports else None
        span = value.first_line
        rule = PolicyRule(direction, number, found.peers, matches, span, does, name)
        if not found.is_complete:
            rule = fail_closed(rule)
        warn_of_named_ports(rule, "networks", self.findings)
        return rule

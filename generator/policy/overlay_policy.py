"""Read OverlayPolicy of pepmesh.dev/v1, pepmesh's own kind.

Where in the pipeline: `Manifest -> model.Policy`, in any tier. In the tier Normal it
isolates and adds to what NetworkPolicies allow; in Admin and Baseline it is ordered
with the cluster-wide kinds. The kind is namespaced so that teams may write their own:
whatever reaches further than its namespace is allowed in `pepmesh-system` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.http_reader import read_http
from generator.policy.labels import read_object_name, read_rule_name
from generator.policy.lists import read_list
from generator.policy.mode import read_mode
from generator.policy.model import (
    Action,
    Direction,
    HttpMatch,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Tier,
)
from generator.policy.network_policy import read_policy_types
from generator.policy.overlay_peers import MOST, Place, read_peers, read_subject
from generator.policy.peer_forms import PEER_FIELDS, PeerList, fail_closed
from generator.policy.peer_reader import read_port, warn_of_named_ports
from generator.policy.tiers import read_action, read_priority, read_tier

KIND: Final = "OverlayPolicy"
API_VERSION: Final = "pepmesh.dev/v1"
SYSTEM_NAMESPACE: Final = "pepmesh-system"
"""The namespace whose policies may be about others."""

_DOCUMENT: Final = ("apiVersion", "kind", "metadata", "spec", "status")
_SPEC: Final = (
    "tier",
    "priority",
    "mode",
    "policyTypes",
    "subject",
    "ingress",
    "egress",
)
_TIERS: Final = {tier.name.capitalize(): tier for tier in Tier}
_ACTIONS: Final = {action.value: action for action in Action}
_EVERYBODY: Final = (
    'from: [{namespaces: {}}] is all pods, [{networks: ["0.0.0.0/0", "::/0"]}] is '
    "all addresses"
)


def read_overlay_policy(
    manifest: Manifest, namespace: str, findings: Findings
) -> Policy:
    """Read one policy."""
    manifest.body.refuse_unknown(_DOCUMENT, findings)
    name = manifest.name()
    spec = manifest.body.require("spec")
    spec.refuse_unknown(_SPEC, findings)
    # Who misspells the tier but gives a priority means a tier that has one.
    tier = Tier.NORMAL if spec.get("priority") is None else Tier.ADMIN
    with findings.collect():
        tier = _read_tier(spec)
    isolates = frozenset[Direction]()
    with findings.collect():
        isolates = _read_isolation(spec, tier)
    # Rules first: what is wrong in them is reported whatever is wrong elsewhere.
    rules = tuple(_RuleReader(namespace, tier, findings).rules(spec, isolates))
    priority, is_audited = _read_order_and_mode(manifest, tier, findings)
    with findings.collect():
        _check_tier_is_allowed(spec, tier, namespace)
    subject = read_subject(spec.require("subject"), findings)
    _check_subject_is_allowed(spec, subject, namespace)
    return Policy(
        KIND,
        namespace,
        name,
        tier,
        priority,
        subject,
        isolates,
        rules,
        manifest.span,
        is_audited,
    )


def _read_order_and_mode(
    manifest: Manifest, tier: Tier, findings: Findings
) -> tuple[int, bool]:
    spec = manifest.body.require("spec")
    priority, is_audited = 0, False
    with findings.collect():
        priority = _read_priority(spec, tier)
    with findings.collect():
        is_audited = read_mode(spec.get("mode"), manifest)
    return priority, is_audited


def _read_tier(spec: Value) -> Tier:
    value = spec.get("tier")
    return Tier.NORMAL if value is None else read_tier(value, _TIERS)


def _read_isolation(spec: Value, tier: Tier) -> frozenset[Direction]:
    """Read `policyTypes`, which has the defaults of NetworkPolicy."""
    types = spec.get("policyTypes")
    if tier is Tier.NORMAL:
        read_list(types, 0, MOST)
        return read_policy_types(spec)
    if types is not None:
        hint = "only the tier Normal isolates: leave policyTypes out"
        message = f"the tier {_word(tier)} has no policyTypes"
        raise types.error("POL0046", message, hint)
    return frozenset()


def _read_priority(spec: Value, tier: Tier) -> int:
    value = spec.get("priority")
    if tier is not Tier.NORMAL:
        return read_priority(spec.require("priority"))
    if value is not None:
        hint = "policies of the tier Normal have no order: leave priority out"
        raise value.error("POL0046", "the tier Normal has no priority", hint)
    return 0


def _check_tier_is_allowed(spec: Value, tier: Tier, namespace: str) -> None:
    value = spec.get("tier")
    is_own = tier is Tier.NORMAL or namespace == SYSTEM_NAMESPACE
    if value is None or is_own or value.text() not in _TIERS:
        return
    message = f'the tier {_word(tier)} is for the namespace "{SYSTEM_NAMESPACE}" only'
    hint = f"move the policy to {SYSTEM_NAMESPACE}, or use the tier Normal"
    raise value.error("POL0050", message, hint)


def _check_subject_is_allowed(spec: Value, subject: PodPeer, namespace: str) -> None:
    """Refuse a policy of one team about the pods of others."""
    if subject.namespaces is None or namespace == SYSTEM_NAMESPACE:
        return
    message = f'a subject in other namespaces is for "{SYSTEM_NAMESPACE}" only'
    way = "write pods" if subject.pods is None else "drop the namespaceSelector"
    hint = f"move the policy to {SYSTEM_NAMESPACE}, or {way}"
    raise spec.require("subject").error("POL0050", message, hint)


def _word(tier: Tier) -> str:
    return tier.name.capitalize()


@dataclass(frozen=True, slots=True)
class _RuleReader:
    """Reads the rules of one policy."""

    namespace: str
    tier: Tier
    findings: Findings

    def rules(
        self, spec: Value, isolates: frozenset[Direction]
    ) -> Iterator[PolicyRule]:
        """Yield the rules that have an effect, ingress first, in the order of lists."""
        for direction in Direction:
            rules = list(self._rules(spec, direction))
            if self.tier is not Tier.NORMAL or direction in isolates:
                yield from rules
            elif rules:
                message = (
                    f"{direction} rules have no effect, policyTypes leaves them out"
                )
                self.findings.add("POL0018", message, rules[0].span)

    def _rules(self, spec: Value, direction: Direction) -> Iterator[PolicyRule]:
        items: list[Value] = []
        with self.findings.collect():
            items += read_list(spec.get(direction.value), 0, MOST)
        for number, item in enumerate(items):
            with self.findings.collect():
                yield self._rule(item, direction, number)

    def _rule(self, value: Value, direction: Direction, number: int) -> PolicyRule:
        field = PEER_FIELDS[direction]
        known = ("name", "action", field, "ports", "http", "via")
        value.refuse_unknown(known, self.findings)
        action = self._action(value)
        place = Place(self.namespace, self.tier, direction, action, self.findings)
        found = self._peers(value, field, place)
        ports = self._ports(value.get("ports"))
        rule = PolicyRule(
            direction,
            number,
            None if found is None else found.peers,
            ports,
            value.first_line,
            action,
            read_rule_name(value.get("name")),
            self._http(value.get("http"), ports),
            self._via(value.get("via"), action),
        )
        if found is not None and not found.is_complete:
            rule = fail_closed(rule)
        warn_of_named_ports(rule, "networks", self.findings)
        return rule

    def _action(self, value: Value) -> Action:
        given = value.get("action")
        if given is None and self.tier is Tier.NORMAL:
            return Action.ACCEPT
        given = value.require("action")
        action = read_action(given, KIND, _ACTIONS)
        if self.tier is Tier.NORMAL and action is not Action.ACCEPT:
            hint = (
                "what no rule accepts is denied to whom a policy isolates; the tier "
                f"Admin, in {SYSTEM_NAMESPACE}, can deny"
            )
            message = f"the tier Normal has no {action}"
            raise given.error("POL0048", message, hint)
        return action

    def _peers(self, value: Value, field: str, place: Place) -> PeerList | None:
        """Read `from` or `to`; None, for everybody, in the tier Normal only."""
        given = value.get(field)
        if given is not None:
            return read_peers(given, place)
        if self.tier is not Tier.NORMAL:
            message = f"{field} is missing, the tier {_word(self.tier)} needs it"
            hint = _EVERYBODY.replace("from", field)
            raise value.error("POL0046", message, hint)
        return None

    def _ports(self, value: Value | None) -> tuple[PortMatch, ...] | None:
        found: list[PortMatch] = []
        for item in read_list(value, 1, MOST):
            with self.findings.collect():
                found.append(read_port(item, self.findings))
        return None if value is None else tuple(found)

    def _http(
        self, value: Value | None, ports: tuple[PortMatch, ...] | None
    ) -> tuple[HttpMatch, ...] | None:
        return None if value is None else read_http(value, ports, self.findings)

    def _via(self, value: Value | None, action: Action) -> tuple[str, ...]:
        """Read the names of PEPs; until they are checked, such a rule is closed."""
        names = tuple(read_object_name(item) for item in read_list(value, 1, MOST))
        if value is not None and action is not Action.ACCEPT:
            message = f"via with the action {action}"
            raise value.error("POL0063", message)
        if value is not None:
            message = f"{value.path} is not checked yet: the rule matches nothing"
            self.findings.add("POL0062", message, value.first_line)
        return names

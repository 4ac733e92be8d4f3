"""Read networking.k8s.io/v1 NetworkPolicy, with the API's defaults applied.

Where in the pipeline: `Manifest -> model.Policy`. Quotations are the API's own
sentences, at the branch that implements them. Direction of errors: any doubt about a
policy stops the load; a policy that is left out, or read with a rule too many, would
be access that nobody asked for. Peers and ports are read by `peer_reader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.policy.documents import Manifest
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.model import (
    Direction,
    Policy,
    PolicyRule,
    network_policy,
)
from generator.policy.peer_forms import PEER_FIELDS
from generator.policy.peer_reader import read_peer, read_port, warn_of_named_ports
from generator.policy.selector_reader import read_selector

API_VERSION: Final = "networking.k8s.io/v1"

_DOCUMENT: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_SPEC: Final = frozenset({"podSelector", "policyTypes", "ingress", "egress"})
_RULE: Final = {
    direction: frozenset({field, "ports"}) for direction, field in PEER_FIELDS.items()
}
_TYPES: Final = {"Ingress": Direction.INGRESS, "Egress": Direction.EGRESS}


def read_network_policy(
    manifest: Manifest, namespace: str, findings: Findings
) -> Policy:
    """Read one policy.

    A policy without a spec is legal and isolates all pods of its namespace for
    ingress: "This field is optional. If it is not specified, it defaults to an empty
    selector."
    """
    manifest.body.refuse_unknown(_DOCUMENT, findings)
    name = manifest.name()
    spec = manifest.body.get("spec")
    if spec is None:
        isolates = frozenset({Direction.INGRESS})
        selector = read_selector(None, findings)
        return network_policy(namespace, name, selector, isolates, (), manifest.span)
    spec.refuse_unknown(_SPEC, findings)
    isolates = read_policy_types(spec)
    return network_policy(
        namespace,
        name,
        # "An empty selector matches all pods in the policy's namespace."
        read_selector(spec.get("podSelector"), findings),
        isolates,
        tuple(_read_rules(spec, isolates, findings)),
        manifest.span,
    )


def read_policy_types(spec: Value) -> frozenset[Direction]:
    """Read `policyTypes`, or derive it.

    "If this field is not specified, it will default based on the existence of ingress
    or egress rules; policies that contain an egress section are assumed to affect
    egress, and all policies (whether or not they contain an ingress section) are
    assumed to affect ingress." An empty `egress` list counts as none: the API server
    defaults by its length.
    """
    types = spec.get("policyTypes")
    given = frozenset[Direction]() if types is None else types.recall(_read_types)
    if given:
        return given
    if spec.items_of("egress"):
        return frozenset({Direction.INGRESS, Direction.EGRESS})
    return frozenset({Direction.INGRESS})


def _read_types(value: Value) -> frozenset[Direction]:
    return frozenset(_read_type(item) for item in value.items())


def _read_type(value: Value) -> Direction:
    text = value.text()
    if text not in _TYPES:
        raise value.error("POL0005", f'unknown policy type "{text}"')
    return _TYPES[text]


def _read_rules(
    spec: Value, isolates: frozenset[Direction], findings: Findings
) -> Iterator[PolicyRule]:
    """Yield the rules that have an effect, ingress first.

    An absent, null or empty list has no rules: "If this field is empty then this
    NetworkPolicy does not allow any traffic (and serves solely to ensure that the pods
    it selects are isolated by default)".
    """
    for direction in Direction:
        given = spec.get(direction.value)
        if given is None:
            continue
        items = given.items()
        rules = findings.each(enumerate(items), _read_rule, direction, findings)
        if direction in isolates:
            yield from rules
        elif items:
            message = f"{direction} rules have no effect, policyTypes leaves them out"
            findings.add("POL0018", message, items[0].first_line)


def _read_rule(
    numbered: tuple[int, Value], direction: Direction, findings: Findings
) -> PolicyRule:
    number, value = numbered
    field = PEER_FIELDS[direction]
    value.refuse_unknown(_RULE[direction], findings)
    given_peers, given_ports = value.items_of(field), value.items_of("ports")
    peers = findings.each(given_peers, read_peer, findings)
    ports = findings.each(given_ports, read_port, findings)
    rule = PolicyRule(
        direction,
        number,
        # "If this field is empty or missing, this rule matches all sources (traffic
        # not restricted by source)."
        tuple(peers) if given_peers else None,
        # "If this field is empty or missing, this rule matches all ports (traffic not
        # restricted by port)."
        tuple(ports) if given_ports else None,
        value.first_line,
    )
    warn_of_named_ports(rule, "ipBlock", findings)
    return rule

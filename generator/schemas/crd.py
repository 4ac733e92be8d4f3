"""The CustomResourceDefinition of OverlayPolicy, made from the schemas of its parts.

    python -m generator.schemas.crd > istio/crds/overlaypolicy.yaml

The file is what is installed, printed and tested; this module is how it is made, and
a test compares the two. The reader in `policy` says the same a second time, on its
own: a test compares what both make of valid and invalid policies. What only the reader
can see, such as the namespace of a policy, is said in descriptions.
"""

from __future__ import annotations

import sys
from typing import Final

import yaml

from generator.policy.model import Direction
from generator.schemas.http_schema import MOST, http
from generator.schemas.parts import Schema, array, choice, number, record, rule, text
from generator.schemas.peer_schema import peers, ports, subject, via

GROUP: Final = "pepmesh.dev"
KIND: Final = "OverlayPolicy"
PLURAL: Final = "overlaypolicies"

_HEAD: Final = "# Made by `python -m generator.schemas.crd`. Do not edit.\n"
_FIELDS: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_NORMAL: Final = "self.tier == 'Normal'"


def crd_text() -> str:
    """Return the manifest. The same bytes at every call."""
    dumper = _Dumper
    text = yaml.dump(crd(), Dumper=dumper, sort_keys=False, width=88)
    return _HEAD + text


class _Dumper(yaml.SafeDumper):
    """No anchors: parts that occur twice are written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def crd() -> Schema:
    names = {
        "kind": KIND,
        "listKind": f"{KIND}List",
        "plural": PLURAL,
        "singular": KIND.lower(),
        "shortNames": ["op"],
        "categories": ["pepmesh"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> Schema:
    return {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            _column("Tier", "string", ".spec.tier"),
            _column("Priority", "integer", ".spec.priority"),
            _column("Mode", "string", ".spec.mode"),
            _column("Age", "date", ".metadata.creationTimestamp"),
        ],
        "schema": {"openAPIV3Schema": _object()},
    }


def _column(name: str, kind: str, path: str) -> Schema:
    return {"name": name, "type": kind, "jsonPath": path}


def _object() -> Schema:
    properties: dict[str, Schema] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": _spec(),
        "status": {"type": "object", "description": "Reserved."},
    }
    return record(
        "Network policy of the overlay, enforced by every Envoy that runs pepmesh.",
        properties,
        required=["spec"],
    )


def _spec() -> Schema:
    tier = choice(
        "Normal adds to what NetworkPolicies allow. Admin comes before, Baseline after "
        "them. Admin and Baseline are for the namespace pepmesh-system: the API server "
        "cannot see this, pepmesh refuses it elsewhere.",
        ("Admin", "Normal", "Baseline"),
    )
    mode = choice(
        "enforce, the default; or audit: count and log what would be denied, and let "
        "it pass. The annotation pepmesh.dev/mode says the same.",
        ("enforce", "audit"),
    )
    word = choice("A direction.", ("Ingress", "Egress"))
    fields = {
        "tier": {**tier, "default": "Normal"},
        "priority": number("Order in Admin and Baseline, lowest first.", 0, 1000),
        "mode": mode,
        "policyTypes": array(
            "Directions in which a Normal policy isolates its subject. Default: "
            "Ingress, and Egress if there are egress rules.",
            word,
            least=0,
            most=MOST,
        ),
        "subject": subject(),
        "ingress": _rules(Direction.INGRESS),
        "egress": _rules(Direction.EGRESS),
    }
    description = "What is allowed or denied, to whom."
    return record(description, fields, required=["subject"], rules=_spec_rules())


def _spec_rules() -> list[Schema]:
    no_names = "!has(r.to) || r.to.all(p, !has(p.domainNames))"
    found = [
        rule(f"{_NORMAL} || has(self.priority)", "Admin and Baseline need a priority"),
        rule(f"!({_NORMAL}) || !has(self.priority)", "Normal has no priority"),
        rule(f"{_NORMAL} || !has(self.policyTypes)", "only Normal has policyTypes"),
        rule(
            f"self.tier != 'Baseline' || !has(self.egress) || "
            f"self.egress.all(r, {no_names})",
            "domainNames need the tier Admin or Normal",
        ),
    ]
    for direction, field in _FIELDS.items():
        rules = f"!has(self.{direction}) || self.{direction}.all"
        found += [
            rule(
                f"!({_NORMAL}) || {rules}(r, !has(r.action) || r.action == 'Accept')",
                "rules of the tier Normal only accept",
            ),
            rule(
                f"{_NORMAL} || {rules}(r, has(r.action))",
                "rules of the tiers Admin and Baseline need an action",
            ),
            rule(
                f"{_NORMAL} || {rules}(r, has(r.{field}))",
                f"rules of the tiers Admin and Baseline need {field}",
            ),
        ]
    return found


def _rules(direction: Direction) -> Schema:
    action = (
        "Accept, Deny, or Pass, which leaves the tier. In the tier Normal only Accept, "
        "the default; needed in the others."
    )
    fields = {
        "name": text("For people.", pattern="[^\\x00-\\x1f\\x7f]*", most=100),
        "action": choice(action, ("Accept", "Deny", "Pass")),
        _FIELDS[direction]: peers(direction),
        "ports": ports(),
        "http": http(),
        "via": via(),
    }
    accepts = "!has(self.action) || self.action == 'Accept'"
    rules = [
        rule(
            "!has(self.http) || !has(self.ports) || "
            "self.ports.all(p, !has(p.protocol) || p.protocol == 'TCP')",
            "http goes with ports of TCP only",
        ),
        rule(f"!has(self.via) || {accepts}", "via needs the action Accept"),
    ]
    if direction is Direction.EGRESS:
        names = "!has(self.to) || self.to.all(p, !has(p.domainNames))"
        message = "domainNames need the action Accept"
        rules.append(rule(f"{accepts} || {names}", message))
    entry = record("A rule.", fields, rules=rules)
    description = f"Rules for {direction}, tried in order in Admin and Baseline."
    return array(description, entry, least=0, most=MOST)


if __name__ == "__main__":
    sys.stdout.write(crd_text())

"""The schema of subjects, peers and ports. Part of `crd`."""

from __future__ import annotations

from typing import Final

from generator.policy.model import Direction
from generator.schemas.http_schema import DOMAIN_NAME, MOST
from generator.schemas.parts import (
    Schema,
    array,
    choice,
    exactly_one,
    number,
    record,
    rule,
    text,
)
from generator.schemas.selectors import (
    LABEL_VALUE,
    NAMESPACE_NAME,
    OBJECT_NAME,
    selector,
)

_CIDR: Final = "[0-9a-fA-F:.]+/(0|[1-9][0-9]*)"
_OVERLAY_CIDR: Final = "[fF][dD][0-9a-fA-F]{2}:[0-9a-fA-F:.]*/([89]|[1-8][0-9]|9[0-6])"
_PORT_NAME: Final = "([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*"


def subject() -> Schema:
    fields = {"pods": _pods(), "namespaces": _namespaces()}
    description = (
        "The pods that the policy is about. Outside the namespace pepmesh-system only "
        "pods of the policy's own namespace: the API server cannot see this, pepmesh "
        "refuses it."
    )
    rules = [exactly_one(list(fields), "a subject")]
    return record(description, fields, rules=rules)


def peers(direction: Direction) -> Schema:
    """`from` or `to`; domain names are of `to` only."""
    other = "sources" if direction is Direction.INGRESS else "destinations"
    fields = {
        "pods": _pods(),
        "namespaces": _namespaces(),
        "serviceAccounts": _list("The workloads of service accounts.", _account()),
        "overlayCIDRs": _list(
            "Members by their overlay address.",
            _cidr("In fd00::/8, of 8 to 96 bits.", _OVERLAY_CIDR),
        ),
        "networks": _list(
            "Addresses outside the overlay, and known addresses of members.",
            _cidr("A block of IPv4 or IPv6 addresses.", _CIDR),
        ),
    }
    if direction is Direction.EGRESS:
        description = "Names of hosts; only in rules that accept, not in tier Baseline."
        fields["domainNames"] = _list(description, _domain())
    fields["users"] = _list("Edge devices of users.", _edge_name("user"))
    fields["groups"] = _list("Edge devices of groups of users.", _edge_name("group"))
    entry = record(
        f"Some {other}.", fields, rules=[exactly_one(list(fields), "a peer")]
    )
    description = (
        f"The {other} that the rule is about: one entry must hold. In the tier Normal "
        "it may be left out, for everybody."
    )
    return _list(description, entry)


def ports() -> Schema:
    port: Schema = {
        "description": "A port number, or the name of a port of the destination pod.",
        "x-kubernetes-int-or-string": True,
        "minimum": 1,
        "maximum": 65535,
        "maxLength": 15,
        "pattern": f"^{_PORT_NAME}$",
    }
    end = number("The last port of a range that starts at port.", 1, 65535)
    is_range = (
        "!has(self.endPort) || (has(self.port) && type(self.port) == int && "
        "self.endPort >= self.port)"
    )
    entry = record(
        "Ports of one protocol; all of them, if port is left out.",
        {
            "protocol": choice("Default: TCP.", ("TCP", "UDP", "SCTP")),
            "port": port,
            "endPort": end,
        },
        rules=[rule(is_range, "endPort needs a numeric port that is not above it")],
    )
    return _list("The ports that the rule is about. Without it, all ports.", entry)


def via() -> Schema:
    name = text("The name of a PEP.", pattern=OBJECT_NAME, most=253)
    description = (
        "PEPs that the traffic must have passed. Nothing checks this yet: a rule with "
        "via matches nothing."
    )
    return _list(description, name)


def _list(description: str, items: Schema) -> Schema:
    return array(description, items, least=1, most=MOST)


def _pods() -> Schema:
    fields = {
        "podSelector": selector("Pods by their labels."),
        "namespaceSelector": selector(
            "Namespaces by their labels. Without it, the policy's own namespace."
        ),
    }
    return record("Pods by labels.", fields, required=["podSelector"])


def _namespaces() -> Schema:
    return selector("All pods of namespaces with these labels.")


def _account() -> Schema:
    namespace = "Its namespace. Default: the policy's own."
    return record(
        "A service account.",
        {
            "name": text("Its name.", pattern=OBJECT_NAME, most=253),
            "namespace": text(namespace, pattern=NAMESPACE_NAME, most=63),
        },
        required=["name"],
    )


def _cidr(description: str, pattern: str) -> Schema:
    return {"format": "cidr", **text(description, pattern=pattern, most=64)}


def _domain() -> Schema:
    description = "A name; *. in front stands for one label or more."
    return text(description, pattern=DOMAIN_NAME, most=253)


def _edge_name(noun: str) -> Schema:
    description = f"The name of a {noun}, which has the form of a label value."
    return text(description, pattern=LABEL_VALUE, most=63)

"""Denials: a 403 (gRPC status 7) with a reason, the rule, and a counter.

The rule's name is in the response code details and, alone, in the filter state
`wasm.pepmesh_rule`, both for the access log.
"""

from __future__ import annotations

from typing import Final

from filters.abi import GrpcStatus
from filters.counters import count
from filters.hostcalls import proxy_set_property
from filters.lang import Buffer, View, u32
from filters.layout import (
    INGRESS,
    KIND_ADMIN_NETWORK_POLICY,
    KIND_BASELINE_ADMIN_NETWORK_POLICY,
    KIND_CLUSTER_NETWORK_POLICY,
    KIND_NETWORK_POLICY,
    KIND_OVERLAY_POLICY,
    NONE,
    Column,
    Section,
)
from filters.local_response import refuse
from filters.reasons import Reason, reason_name
from filters.request import REQUEST
from filters.table import field, rows, text
from filters.text import line, start_line, write, write_decimal

FORBIDDEN: Final = 403
BODY = Buffer(64)


def deny(direction: u32, reason: u32, rule: u32) -> u32:
    """Refuse the request, and return what the callback must return."""
    count(direction, reason)
    start_line()
    write_rule(rule)
    proxy_set_property(b"pepmesh_rule", line())
    body_bytes = make_body(reason)
    start_line()
    write(b"pepmesh_")
    write(reason_name(reason))
    if rule != NONE:
        write(b":")
        write_rule(rule)
    grpc = GrpcStatus.PERMISSION_DENIED if REQUEST.is_grpc else GrpcStatus.NONE
    return refuse(FORBIDDEN, line(), BODY[0:body_bytes], b"", grpc)


def note_audited(direction: u32, rule: u32) -> None:
    """Count and log a request that an audited policy would deny; it passes."""
    count(direction, Reason.AUDITED)
    start_line()
    write(b"audit:")
    write_rule(rule)
    proxy_set_property(b"pepmesh_rule", line())


def make_body(reason: u32) -> u32:
    """Write the answer's body: the reason only, since rules are not for strangers."""
    start_line()
    write(b"pepmesh: denied: ")
    write(reason_name(reason))
    write(b"\n")
    made: View = line()
    BODY.put(0, made)
    return len(made)


def write_rule(rule: u32) -> None:
    """Add a rule's name: Kind/namespace/name/direction/number, or "default".

    Kinds that are cluster-wide have no namespace.
    """
    if rule == NONE or rule >= rows(Section.RULES):
        write(b"-")
        return
    policy = field(Column.RULE_POLICY, rule)
    write_kind(field(Column.POLICY_KIND, policy))
    namespace = text(field(Column.POLICY_NAMESPACE, policy))
    if len(namespace) > 0:
        write(namespace)
        write(b"/")
    write(text(field(Column.POLICY_NAME, policy)))
    is_ingress = field(Column.RULE_DIRECTION, rule) == INGRESS
    write(b"/ingress/" if is_ingress else b"/egress/")
    number = field(Column.RULE_NUMBER, rule)
    if number == 0:
        write(b"default")
    else:
        write_decimal(u32(number - 1))


def write_kind(kind: u32) -> None:
    if kind == KIND_NETWORK_POLICY:
        write(b"NetworkPolicy/")
    elif kind == KIND_CLUSTER_NETWORK_POLICY:
        write(b"ClusterNetworkPolicy/")
    elif kind == KIND_ADMIN_NETWORK_POLICY:
        write(b"AdminNetworkPolicy/")
    elif kind == KIND_BASELINE_ADMIN_NETWORK_POLICY:
        write(b"BaselineAdminNetworkPolicy/")
    elif kind == KIND_OVERLAY_POLICY:
        write(b"OverlayPolicy/")
    else:
        write(b"Unknown/")

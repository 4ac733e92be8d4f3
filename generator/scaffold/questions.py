"""Questions that a starter's test and traffic file ask.

Part of `scaffold`: `facts -> questions -> cases`. What a policy is meant to do is said
here; whether it does so, beside the other policies of a mesh, is asked in `cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from generator.analysis.traffic import Traffic
from generator.policy.model import Direction, Protocol
from generator.policy.request import HttpRequest
from generator.scaffold.facts import Facts, Party

OUTSIDE: Final = "192.0.2.1"
"""An address that is nobody's: RFC 5737 keeps it for documentation."""

_JSON: Final = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Question:
    """A flow, and what is meant to become of it. `direction`: whose rules decide."""

    title: str
    traffic: Traffic
    is_allowed: bool
    direction: Direction


def make_questions(kind: str, facts: Facts) -> Iterator[Question]:
    """Yield questions about a policy of some kind."""
    if kind == "OverlayPolicy":
        yield from _request_questions(facts)
    else:
        yield from _flow_questions(facts)
    yield from _stranger_questions(facts)
    yield from _egress_questions(facts)


def flow_questions(facts: Facts) -> Iterator[Question]:
    """Yield questions about a workload whose policies are there already."""
    yield from _flow_questions(facts)
    yield from _stranger_questions(facts)
    yield from _egress_questions(facts)


def _flow_questions(facts: Facts) -> Iterator[Question]:
    if facts.client is None:
        return
    client, workload = facts.client, facts.workload
    title = f"{_name(client, workload)} reaches {workload.name}"
    yield Question(title, _inbound(client.title, facts), True, Direction.INGRESS)
    for port in facts.ports[:1]:
        title = f"{_name(client, workload)} sees no {port.name or port.number}"
        ends = client.title, workload.title
        traffic = Traffic(*ends, str(port.number), port.protocol)
        yield Question(title, traffic, False, Direction.INGRESS)


def _request_questions(facts: Facts) -> Iterator[Question]:
    if facts.client is None:
        return
    name = _name(facts.client, facts.workload)
    for title, request, is_allowed in (
        ("reads an item", HttpRequest("GET", "/items/7"), True),
        (
            "reads nothing that only begins alike",
            HttpRequest("GET", "/itemsize"),
            False,
        ),
        ("sees a user's cart", HttpRequest("GET", "/users/ann/cart"), True),
        ("makes an item", HttpRequest("POST", "/items", headers=_JSON), True),
        ("makes no item of another type", HttpRequest("POST", "/items"), False),
        ("deletes nothing", HttpRequest("DELETE", "/items/7"), False),
        ("cannot hide a slash", HttpRequest("GET", "/items/%2Fadmin"), False),
        ("climbs out of no folder", HttpRequest("GET", "/items/../admin"), False),
        ("gets no connection without HTTP", None, False),
    ):
        traffic = _inbound(facts.client.title, facts, request)
        yield Question(f"{name} {title}", traffic, is_allowed, Direction.INGRESS)


def _stranger_questions(facts: Facts) -> Iterator[Question]:
    workload = facts.workload
    if facts.stranger is not None:
        title = f"{_name(facts.stranger, workload)} does not reach {workload.name}"
        traffic = _inbound(facts.stranger.title, facts)
        yield Question(title, traffic, False, Direction.INGRESS)


def _egress_questions(facts: Facts) -> Iterator[Question]:
    workload, resolver = facts.workload, facts.resolver
    if resolver is not None:
        ends = workload.title, resolver.title
        traffic = Traffic(*ends, str(facts.dns_port), Protocol.UDP)
        title = f"{workload.name} asks for names"
        yield Question(title, traffic, True, Direction.EGRESS)
    title = f"{workload.name} calls nobody outside"
    outside = Traffic(workload.title, OUTSIDE, "443")
    yield Question(title, outside, False, Direction.EGRESS)


def _inbound(source: str, facts: Facts, request: HttpRequest | None = None) -> Traffic:
    port = facts.port
    title = facts.workload.title
    return Traffic(source, title, str(port.number), port.protocol, request)


def _name(party: Party, workload: Party) -> str:
    """Leave the namespace out where it is the workload's own."""
    return party.name if party.namespace == workload.namespace else party.title

"""Ask what a model says about one flow, in words, without building a module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from generator.analysis.endpoints import Endpoint
from generator.analysis.explain.flow_ends import Asked, EndSources, FlowEnd, end_of
from generator.analysis.explain.near_misses import NearMiss, find_near_misses
from generator.analysis.explain.speaking import Speaking
from generator.analysis.explain.tier_trace import Trace, walk
from generator.analysis.names import NamedAddress, NamedOwner, Names
from generator.policy.model import Direction, Protocol
from generator.policy.request import HttpRequest
from tests.support.judging import Case, build_case
from tests.support.loading import model_of


@dataclass(frozen=True)
class Told:
    """The way to an answer, and what nearly matched if it is a denial."""

    trace: Trace
    near: tuple[NearMiss, ...]


def tell(
    text: str,
    direction: Direction,
    source: str,
    destination: str,
    port: int,
    protocol: str = "TCP",
    request: HttpRequest | None = None,
) -> Told:
    """Tell one direction of a flow in the mesh of some manifests."""
    case = _case(text)
    subject, peer = _end(case, source), _end(case, destination)
    if direction is Direction.INGRESS:
        subject, peer = peer, subject
    asked = Asked(direction, subject, peer, Protocol(protocol), port, request)
    speaking = Speaking(case.model)
    trace = walk(speaking, asked)
    if trace.is_allowed:
        return Told(trace, ())
    assert trace.rule is not None
    return Told(trace, tuple(find_near_misses(speaking, asked, trace.rule)))


@cache
def _case(text: str) -> Case:
    return build_case(model_of(text))


def _end(case: Case, name: str) -> FlowEnd:
    sources = EndSources(case.model, case.overlay, case.table)
    named = Names(case.table, case.model, case.overlay).find(name)
    if isinstance(named, NamedAddress):
        return end_of(named.title, Endpoint(None, named.address), None, sources)
    assert isinstance(named, NamedOwner)
    (endpoint,), (member,) = named.endpoints, named.members
    return end_of(named.title, endpoint, member, sources)

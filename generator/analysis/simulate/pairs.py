"""Flows by pair of ends, spelt for people: what Markdown and dot show.

TCP 80,443, UDP 53; some requests on TCP 8080: GET,HEAD /cart/{*}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from generator.analysis.key_ranges import ProtocolPorts, protocols_text
from generator.analysis.simulate.simulation import Connection
from generator.policy.model import Protocol


@dataclass(frozen=True, slots=True)
class ByRequest:
    """Ports where rules look at requests; `rules` spells those in short."""

    ports: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """All that one end may send to another. `ports` is empty if all is by request."""

    source: str
    destination: str
    ports: str
    by_request: tuple[ByRequest, ...]

    def __str__(self) -> str:
        parts = [self.ports] if self.ports else []
        for each in self.by_request:
            parts.append(f"some requests on {each.ports}: {', '.join(each.rules)}")
        return "; ".join(parts)


def pairs_of(connections: Iterable[Connection]) -> list[Pair]:
    """Group sorted connections by their ends."""
    groups = groupby(connections, key=lambda c: (c.source, c.destination))
    return [_pair(*ends, list(found)) for ends, found in groups]


def _pair(source: str, destination: str, found: list[Connection]) -> Pair:
    by_rules: dict[tuple[str, ...], list[ProtocolPorts]] = {(): []}
    for each in found:
        ports = Protocol(each.protocol), each.ports
        by_rules.setdefault(each.http, []).append(ports)
    texts = {rules: protocols_text(_sorted(ports)) for rules, ports in by_rules.items()}
    by_request = (ByRequest(text, rules) for rules, text in texts.items() if rules)
    return Pair(source, destination, texts[()], tuple(by_request))


def _sorted(found: Iterable[ProtocolPorts]) -> list[ProtocolPorts]:
    """Order by protocol as Kubernetes lists them: TCP first."""
    order = list(Protocol)
    return sorted(found, key=lambda each: order.index(each[0]))

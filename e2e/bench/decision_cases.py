"""What is asked about meshes of N rules: questions whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from e2e.bench.rule_meshes import (
    FIRST_PORT,
    OPEN_SERVER,
    PORTS,
    SERVER,
    Name,
    block,
    by_addresses,
    by_pairs,
    by_paths,
    by_peers,
    by_ports,
    by_realms,
    by_tiers,
    pair_of,
    path_of,
    peer_of,
    port_of,
    protocol_port,
    realm_client,
    stranger,
)
from generator.policy.model import Model, Protocol
from generator.policy.request import HttpRequest

_HEADERS: Final = (
    ("user-agent", "curl/8.5.0"),
    ("accept", "*/*"),
    ("x-request-id", "6f2c1d4e-1b1a-4f6e-9c58-4f1e4b6f8a01"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """May this workload, or address, reach that workload on this port?"""

    source: Name | IPv4Address
    destination: Name
    port: int
    protocol: Protocol = Protocol.TCP
    request: HttpRequest | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Questions about rule i of N, or about none; all have the same answer."""

    name: str
    is_allowed: bool
    about: Callable[[int], Question]


@dataclass(frozen=True, slots=True)
class Shape:
    """A model of N rules, and what to ask it."""

    name: str
    model: Callable[[int], Model]
    cases: tuple[Case, ...]


def _peer(number: int, port: int) -> Question:
    return Question(peer_of(number), SERVER, port)


def _address(number: int, offset: int) -> Question:
    return Question(block(number).network_address + offset, SERVER, 443)


def _on_port(number: int) -> Question:
    protocol, port = protocol_port(number)
    return Question(stranger(0), SERVER, port, protocol)


def _request(path: str) -> Question:
    request = HttpRequest("GET", path, "server.server.svc.cluster.local", _HEADERS)
    return Question(stranger(0), SERVER, 80, request=request)


def _tiers(number: int, destination: Name) -> Question:
    client = number // 4
    return Question(peer_of(client), destination, port_of(client))


def _pair(number: int) -> Question:
    return Question(*pair_of(number // 10), FIRST_PORT + number % 5)


SHAPES: Final = (
    Shape(
        "one workload, by peer",
        by_peers,
        (
            Case("hit", True, lambda i: _peer(i, port_of(i))),
            Case("miss: another port", False, lambda i: _peer(i, port_of(i + 1))),
            Case(
                "default deny: a peer without rules",
                False,
                lambda i: Question(stranger(i), SERVER, port_of(i)),
            ),
        ),
    ),
    Shape(
        "one workload, by namespace",
        by_realms,
        (
            Case("hit", True, lambda i: Question(realm_client(i), SERVER, port_of(i))),
            Case(
                "miss: another port",
                False,
                lambda i: Question(realm_client(i), SERVER, port_of(i) + PORTS),
            ),
        ),
    ),
    Shape(
        "one workload, by address range",
        by_addresses,
        (
            Case("hit", True, lambda i: _address(i, 0)),
            Case("miss: between ranges", False, lambda i: _address(i, 256 + i % 256)),
        ),
    ),
    Shape("one workload, by port", by_ports, (Case("hit", True, _on_port),)),
    Shape(
        "one workload, by path",
        by_paths,
        (
            Case("hit", True, lambda i: _request(path_of(i))),
            Case(
                "miss: another path",
                False,
                lambda i: _request(f"/api/v1/others-{i:05}/all"),
            ),
        ),
    ),
    Shape(
        "two workloads, in three tiers",
        by_tiers,
        (
            Case(
                "Admin passes, NetworkPolicy accepts", True, lambda i: _tiers(i, SERVER)
            ),
            Case(
                "Admin passes, Baseline denies", False, lambda i: _tiers(i, OPEN_SERVER)
            ),
        ),
    ),
    Shape(
        "N/10 pairs of workloads, both sides",
        by_pairs,
        (Case("hit", True, _pair),),
    ),
)

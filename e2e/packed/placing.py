"""Loopback addresses for a scenario: every network of the case is one of 127/8 here.

    10.3.0.0/24     ->  127.N.RUN.0/24     pods with known addresses, and blocks
    192.0.2.0/24    ->  127.M.RUN.0/24     outside
    (no address)    ->  127.N.RUN.n        pods without
    applications    ->  127.4-15.RUN.n

Hosts keep their last octet and prefixes from /24 on their length, so that a block holds
here what it holds in the case. Shorter prefixes stay as they are: apart from 0.0.0.0/0,
which holds everything here as there, none of the cases has one that holds its pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from e2e.packed.scenario import Scenario
from generator.policy.model import BlockPeer, IPAddress, IPNetwork, Model, Peer

FIRST_NETWORK: Final = 64
LAST_NETWORK: Final = 254
FIRST_APPLICATION_NETWORK: Final = 4
_HOSTS: Final = 250


class Ground:
    """Loopback networks of one run that nobody has taken yet."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._networks = iter(range(FIRST_NETWORK, LAST_NETWORK + 1))
        self._applications = 0

    def network(self) -> IPv4Network:
        octet = next(self._networks, None)
        if octet is None:
            raise RuntimeError("too many scenarios for one run: no network is left")
        return IPv4Network(f"127.{octet}.{self._run}.0/24")

    def application(self) -> str:
        network, host = divmod(self._applications, _HOSTS)
        self._applications += 1
        return f"127.{FIRST_APPLICATION_NETWORK + network}.{self._run}.{host + 1}"


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a scenario's members, applications and outsiders are on this machine."""

    scenario: Scenario
    members: IPv4Network
    addresses: dict[str, str]
    applications: dict[str, str]
    outsiders: dict[str, str]


def place(scenario: Scenario, ground: Ground) -> Placing:
    """Give addresses to everybody whom a probe names; translate the model's."""
    networks: dict[IPv4Network, IPv4Network] = {}
    home = ground.network()
    for address in _known_addresses(scenario):
        networks.setdefault(_around(address), home)
    outside = {text: IPv4Address(text) for text in scenario.outsiders}
    for address in outside.values():
        if _around(address) not in networks:
            networks[_around(address)] = ground.network()
    addresses = dict(_member_addresses(scenario, networks, home))
    return Placing(
        replace(scenario, model=_translate_model(scenario.model, networks)),
        home,
        addresses,
        {name: ground.application() for name in addresses},
        {text: str(_move(each, networks)) for text, each in outside.items()},
    )


def _known_addresses(scenario: Scenario) -> Iterator[IPv4Address]:
    found = {
        _around(address): address
        for member in scenario.members.values()
        for address in member.addresses
        if isinstance(address, IPv4Address)
    }
    assert len(found) <= 1, f"{scenario.name}: pods of one case share a /24"
    yield from found.values()


def _member_addresses(
    scenario: Scenario,
    networks: dict[IPv4Network, IPv4Network],
    home: IPv4Network,
) -> Iterator[tuple[str, str]]:
    free = (str(address) for address in home.hosts())
    for name, member in scenario.members.items():
        known = [a for a in member.addresses if isinstance(a, IPv4Address)]
        yield name, str(_move(known[0], networks)) if known else next(free)


def _around(address: IPv4Address) -> IPv4Network:
    return IPv4Network((address, 24), strict=False)


def _move(
    address: IPv4Address, networks: dict[IPv4Network, IPv4Network]
) -> IPv4Address:
    network = networks.get(_around(address))
    if network is None:
        return address
    return network.network_address + int(address) % 256


# --- the model ------------------------------------------------------------------------


def _translate_model(model: Model, networks: dict[IPv4Network, IPv4Network]) -> Model:
    """Translate the addresses of members and the blocks of rules."""

    def address(old: IPAddress) -> IPAddress:
        return _move(old, networks) if isinstance(old, IPv4Address) else old

    def block(old: IPNetwork) -> IPNetwork:
        if not isinstance(old, IPv4Network) or old.prefixlen < 24:
            return old
        return IPv4Network((_move(old.network_address, networks), old.prefixlen))

    def peer(old: Peer) -> Peer:
        if not isinstance(old, BlockPeer):
            return old
        return replace(
            old, cidr=block(old.cidr), excepts=tuple(map(block, old.excepts))
        )

    members = [
        replace(m, addresses=tuple(map(address, m.addresses))) for m in model.members
    ]
    policies = [
        replace(
            policy,
            rules=tuple(
                replace(rule, peers=rule.peers and tuple(map(peer, rule.peers)))
                for rule in policy.rules
            ),
        )
        for policy in model.policies
    ]
    return replace(model, members=tuple(members), policies=tuple(policies))

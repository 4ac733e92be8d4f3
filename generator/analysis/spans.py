"""Stretches of addresses: where the answers of a table can change.

A subject's address lists say something new at each of their start addresses and
nowhere else, so that one address of a stretch answers for all of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, pairwise

from generator.policy.model import IPAddress
from generator.table.model import AddressList, RuleTable, Subject

LAST4 = int(IPv4Address("255.255.255.255"))
LAST6 = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class AddressSpan:
    """Addresses `first` to `last`, inclusive."""

    first: IPAddress
    last: IPAddress

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def starts_of(lists: Iterable[AddressList]) -> list[int]:
    """Return the addresses at which one of the lists says something new, from 0."""
    return sorted({0, *(start for start, _ in chain.from_iterable(lists))})


def make_spans(starts: Sequence[int], version: int) -> list[AddressSpan]:
    """Cut the whole address space of a version at some sorted addresses."""
    make = IPv4Address if version == 4 else IPv6Address
    last = LAST4 if version == 4 else LAST6
    return [
        AddressSpan(make(start), make(stop - 1))
        for start, stop in pairwise([*starts, last + 1])
    ]


def addresses_of(subject: Subject, version: int) -> AddressList:
    return subject.addresses4 if version == 4 else subject.addresses6


def is_for_members(table: RuleTable, address: IPAddress) -> bool:
    """Tell whether only members live at an address: then it is not outside."""
    if not isinstance(address, IPv4Address) or not table.member_blocks:
        return False
    starts = [start for start, _ in table.member_blocks]
    return table.member_blocks[bisect_right(starts, int(address)) - 1][1]


class Atoms:
    """The stretches of addresses that every subject of a table treats alike."""

    def __init__(self, table: RuleTable) -> None:
        subjects = table.subjects
        self._has_member_rules = table.has_ipv4_instances and any(
            subject.addresses4 for subject in subjects
        )
        blocks = [start for start, _ in table.member_blocks]
        starts4 = starts_of(subject.addresses4 for subject in subjects)
        self._starts = {
            4: sorted({*starts4, *blocks}),
            6: starts_of(subject.addresses6 for subject in subjects),
        }

    def of_member(self, addresses: Iterable[IPAddress]) -> list[IPAddress]:
        """Keep what the filter can use of a member's addresses, one per stretch.

        It knows the IPv4 address of a member by the instance part, and no other.
        """
        if not self._has_member_rules:
            return []
        return self._one_each(a for a in addresses if isinstance(a, IPv4Address))

    def outside(self, addresses: Iterable[IPAddress]) -> list[IPAddress]:
        """Keep one address per stretch and version."""
        return self._one_each(addresses)

    def _one_each(self, addresses: Iterable[IPAddress]) -> list[IPAddress]:
        kept: dict[tuple[int, int], IPAddress] = {}
        for address in sorted(addresses, key=lambda a: (a.version, int(a))):
            place = bisect_right(self._starts[address.version], int(address))
            kept.setdefault((address.version, place), address)
        return list(kept.values())

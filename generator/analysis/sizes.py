"""Where the bytes of a module go: by section, and by policy.

`by_policy` counts what a policy's rules put into port lists, address lists and peer
rows. Equal lists are stored once and counted once. It is what to look at when a table
grows, not an exact partition of it: headers and empty slots are nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from filters.layout import Section
from generator.table.decode import section_sizes
from generator.table.model import AddressList, PortList, RuleTable
from generator.table.packing import Packed

TOP: Final = 5


def module_parts(module: bytes, table_bytes: bytes) -> list[tuple[str, int]]:
    """Return the parts of a module by size: the code, then the table's sections."""
    code = len(module) - len(table_bytes)
    sections = section_sizes(table_bytes).items()
    by_size = sorted(sections, key=lambda part: (-part[1], part[0]))
    return [("code", code), *((f"table {name}", size) for name, size in by_size)]


def by_policy(table: RuleTable, table_bytes: bytes) -> list[tuple[str, int]]:
    """Return the policies that take most of the table, and how many bytes each."""
    packed = Packed(table_bytes)
    found: Counter[int] = Counter()
    for section, ports in _lists(table):
        for row in ports:
            found[table.rules[row.rule].policy] += packed.row_bits(Section.RANGES)
        if ports:
            found[table.rules[ports[0].rule].policy] += packed.row_bits(section)
    names = {
        place: f"{policy.kind} {policy.namespace}/{policy.name}"
        for place, policy in enumerate(table.policies)
    }
    rows = sorted(found.items(), key=lambda item: (-item[1], names[item[0]]))
    return [(names[place], (bits + 7) // 8) for place, bits in rows[:TOP]]


def _lists(table: RuleTable) -> Iterator[tuple[Section, PortList]]:
    """Yield each distinct list of ports, and where the row is that leads to it."""
    seen: set[object] = set()
    for subject in table.subjects:
        ways = subject.members, subject.outside, subject.any_address
        for ports in (*ways, *subject.peers.values()):
            yield Section.PEERS, () if ports in seen else ports
            seen.add(ports)
        yield from _address_rows(subject.addresses4, Section.ADDRESSES4, seen)
        yield from _address_rows(subject.addresses6, Section.ADDRESSES6, seen)


def _address_rows(
    addresses: AddressList, section: Section, seen: set[object]
) -> Iterator[tuple[Section, PortList]]:
    if addresses in seen:
        return
    seen.add(addresses)
    for _, ports in addresses:
        yield section, ports

"""Where the bytes of a module go: by section, and by policy.

`by_policy` counts what a policy's rules put into port lists, address lists and peer
rows. Equal lists are stored once and counted once. It is what to look at when a table
grows, not an exact partition of it: headers and empty slots are nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from filters.layout import ADDRESS4_BYTES, ADDRESS6_BYTES, PEER_BYTES, RANGE_BYTES
from generator.table.decode import section_sizes
from generator.table.model import AddressList, PortList, RuleTable

TOP: Final = 5


def module_parts(module: bytes, table_bytes: bytes) -> list[tuple[str, int]]:
    """Return the parts of a module by size: the code, then the table's sections."""
    code = len(module) - len(table_bytes)
    sections = section_sizes(table_bytes).items()
    by_size = sorted(sections, key=lambda part: (-part[1], part[0]))
    return [("code", code), *((f"table {name}", size) for name, size in by_size)]


def by_policy(table: RuleTable) -> list[tuple[str, int]]:
    """Return the policies that take most of the table, and how many bytes each."""
    found: Counter[int] = Counter()
    for size, ports in _lists(table):
        for row in ports:
            found[table.rules[row.rule].policy] += RANGE_BYTES
        if ports:
            found[table.rules[ports[0].rule].policy] += size
    names = {
        place: f"{policy.kind} {policy.namespace}/{policy.name}"
        for place, policy in enumerate(table.policies)
    }
    rows = sorted(found.items(), key=lambda item: (-item[1], names[item[0]]))
    return [(names[place], size) for place, size in rows[:TOP]]


def _lists(table: RuleTable) -> Iterator[tuple[int, PortList]]:
    """Yield each distinct list of ports, with the bytes of the row that leads to it."""
    seen: set[object] = set()
    for subject in table.subjects:
        for ports in (subject.members, subject.outside):
            if ports not in seen:
                seen.add(ports)
                yield 0, ports
        for ports in subject.peers.values():
            yield PEER_BYTES, () if ports in seen else ports
            seen.add(ports)
        yield from _address_rows(subject.addresses4, ADDRESS4_BYTES, seen)
        yield from _address_rows(subject.addresses6, ADDRESS6_BYTES, seen)


def _address_rows(
    addresses: AddressList, size: int, seen: set[object]
) -> Iterator[tuple[int, PortList]]:
    if addresses in seen:
        return
    seen.add(addresses)
    for _, ports in addresses:
        yield size, ports

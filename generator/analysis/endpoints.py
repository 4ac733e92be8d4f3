"""Who can send and receive, as the filter sees them: owners and their endpoints.

Where in the pipeline: `overlay + table -> owners -> simulate, explain`. An owner
("ns/name") may have several endpoints that the filter can tell apart: pods of one
owner with different labels are of different workloads, and an `ipBlock` may hold one
pod's address and not another's. What holds for *some* endpoint holds for the owner.

An endpoint on the host network is not in the overlay: the filter sees its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generator.analysis.spans import Atoms
from generator.overlay.model import Overlay
from generator.policy.model import IPAddress, Member
from generator.table.model import RuleTable, TableWorkload


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One party of a flow. `workload` None: outside; `address` None: not known."""

    workload: TableWorkload | None
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """A named owner and its distinguishable endpoints; never none."""

    name: str
    endpoints: frozenset[Endpoint]


def find_owners(table: RuleTable, overlay: Overlay) -> list[Owner]:
    """Return all owners, sorted by name.

    Of a member's many addresses only one is kept for each stretch of addresses that
    every subject of the table treats alike.
    """
    atoms = Atoms(table)
    rows = {row.id: row for row in table.workloads}
    found: dict[str, set[Endpoint]] = {}
    for workload in overlay.workloads:
        for member in workload.members:
            known = atoms.of_member(member.addresses)
            _add(found, member, rows[workload.id], known)
    for member in overlay.left_out:
        _add(found, member, None, atoms.outside(member.addresses))
    return [Owner(name, frozenset(found[name])) for name in sorted(found)]


def _add(
    found: dict[str, set[Endpoint]],
    member: Member,
    row: TableWorkload | None,
    addresses: Iterable[IPAddress],
) -> None:
    endpoints = found.setdefault(owner_name(member), set())
    endpoints.update(endpoints_of(row, addresses))


def endpoints_of(
    row: TableWorkload | None, addresses: Iterable[IPAddress]
) -> Iterator[Endpoint]:
    """Yield an endpoint per address, or one whose address is not known."""
    for address in tuple(addresses) or (None,):
        yield Endpoint(row, address)


def owner_name(member: Member) -> str:
    """Spell an owner the way `simulate` prints it and `explain` takes it."""
    return f"{member.namespace}/{member.name}"

"""The two sides of a comparison: a module that answers, and the names it knows.

Where in the pipeline: `module, or manifests -> Side -> diff`. Manifests name all owners
and many addresses. A module by itself has only its table: owners are the names of its
workload targets; addresses of pods, and pods on the host network, are not in it. What
only one side can know is left out of both, and said: it would look like a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from itertools import pairwise
from typing import Final

from generator.analysis.endpoints import owner_name
from generator.analysis.engine import Engine
from generator.overlay.model import DEFAULT_CLUSTER, Overlay, TargetKind, Workload
from generator.policy.model import Member
from generator.table.model import RuleTable, TableWorkload

_LAST: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Side:
    """One input. `overlay` has the names; `knows_pods`: also what a table leaves out.

    `title` is how the person who asks wrote it.
    """

    title: str
    engine: Engine
    overlay: Overlay
    knows_pods: bool

    @property
    def table(self) -> RuleTable:
        return self.engine.table


def mesh_side(title: str, engine: Engine, overlay: Overlay) -> Side:
    """Make a side of manifests."""
    return Side(title, engine, overlay, knows_pods=True)


def module_side(title: str, engine: Engine) -> Side:
    """Make a side of a module alone."""
    return Side(title, engine, overlay_of(engine.table), knows_pods=False)


def overlay_of(table: RuleTable) -> Overlay:
    """Return what a table says about owners; workloads without a name get a number."""
    owners = _owners_by_workload(table)
    return Overlay(
        name="",
        id=table.overlay_id,
        label_keys=table.label_keys,
        realms=(),
        workloads=tuple(_workload(table, r, owners[r.id]) for r in table.workloads),
        targets=(),
    )


def _owners_by_workload(table: RuleTable) -> Mapping[int, list[str]]:
    owners: dict[int, list[str]] = {row.id: [] for row in table.workloads}
    for target in table.targets:
        if target.kind is TargetKind.WORKLOAD:
            backends = (b.workload for port in target.ports for b in port.backends)
            for number in dict.fromkeys(backends):
                owners[number].append(target.name)
    return owners


def _workload(table: RuleTable, row: TableWorkload, owners: list[str]) -> Workload:
    namespace = table.realms[row.realm]
    account = row.service_account
    names = owners or [f"workload-{row.id}"]
    members = (Member("", namespace, name, {}, account) for name in names)
    return Workload(
        id=row.id,
        realm=row.realm,
        cluster=DEFAULT_CLUSTER,
        namespace=namespace,
        service_account=account,
        labels=(),
        members=tuple(members),
        revoked=row.revoked,
    )


def make_alike(before: Side, after: Side) -> tuple[Side, Side, tuple[str, ...]]:
    """Reduce both sides to what both can know; the notes say what was left out."""
    modules = [side for side in (before, after) if not side.knows_pods]
    if not modules:
        return before, after, ()
    notes = tuple(_notes((before, after), modules[0]))
    return _without_pods(before), _without_pods(after), notes


def _without_pods(side: Side) -> Side:
    overlay = replace(
        side.overlay,
        workloads=tuple(
            replace(w, members=tuple(replace(m, addresses=()) for m in w.members))
            for w in side.overlay.workloads
        ),
        left_out=(),
    )
    return replace(side, overlay=overlay, knows_pods=False)


def _notes(sides: tuple[Side, Side], module: Side) -> Iterable[str]:
    subjects = (subject for side in sides for subject in side.table.subjects)
    if any(subject.addresses4 or subject.addresses6 for subject in subjects):
        yield (
            f"{module.title} is a module and has no addresses of pods: what rules over "
            "addresses say about pods was not compared"
        )
    left_out = {owner_name(m) for side in sides for m in side.overlay.left_out}
    if left_out:
        yield (
            f"{module.title} is a module and does not know workloads on the host "
            f"network: {', '.join(sorted(left_out))} left out"
        )


def member_networks(table: RuleTable) -> tuple[IPv4Network, ...]:
    """Return the ranges of members that a module was built with."""
    starts = [*table.member_blocks, (_LAST + 1, False)]
    return tuple(
        network
        for (first, is_inside), (stop, _) in pairwise(starts)
        if is_inside
        for network in summarize_address_range(
            IPv4Address(first), IPv4Address(stop - 1)
        )
    )

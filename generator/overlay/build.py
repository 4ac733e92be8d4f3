"""Number a model: the overlay that rules, keys and addresses are made for.

Where in the pipeline: `model + lock -> overlay + new lock`. The one entry for `build`,
`explain` and `simulate`. The passes, in order: group members into workloads, refuse
collisions, find targets, update the lock, put the numbers in. Same model and lock,
same result, whatever the order of the manifests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

from generator.errors import Diagnostic, OverlayError
from generator.memory import Kept
from generator.overlay.collisions import group_distinctly
from generator.overlay.lock import Lock, RealmName, WorkloadRow, update
from generator.overlay.looks import LooksMemory, find_looks
from generator.overlay.model import (
    DEFAULT_CLUSTER,
    Backend,
    Identity,
    Overlay,
    Realm,
    Target,
    TargetPort,
    Workload,
)
from generator.overlay.naming import (
    check_overlay_name,
    default_overlay_id,
    overlay_id_text,
)
from generator.overlay.targets import (
    FoundTarget,
    NamespaceTargets,
    TargetsMemory,
    find_targets,
)
from generator.overlay.workloads import (
    Grouping,
    GroupingMemory,
    Residents,
    warn_left_out,
)
from generator.policy.model import Model


class OverlayMemory:
    """What one overlay leaves to the next one, by namespace."""

    def __init__(self) -> None:
        self.looks = LooksMemory()
        self.groups = GroupingMemory()
        self.targets = TargetsMemory()
        self.numbered: Kept[str, _Numbers, _Numbered] = Kept()

    def start(self) -> None:
        """Begin a round."""
        self.groups.start()
        self.targets.start()
        self.numbered.start()


def build_overlay(
    model: Model,
    lock: Lock | None,
    *,
    name: str,
    overlay_id: int | None = None,
    cluster: str = DEFAULT_CLUSTER,
    memory: OverlayMemory | None = None,
) -> tuple[Overlay, Lock, tuple[Diagnostic, ...]]:
    """Return the overlay, the lock to write, and warnings.

    Without a lock everything is numbered anew, for use at once or as a first lock.
    The result depends on `overlay_inputs` and on the other arguments.
    Raises: OverlayError OVL0001, OVL0002, OVL0004, OVL0006, OVL0007, OVL0012.
    """
    memory = memory or OverlayMemory()
    memory.start()
    start = _check_lock(lock, check_overlay_name(name), overlay_id)
    looks = find_looks(model.policies, memory.looks)
    grouping = group_distinctly(model, looks, cluster, memory.groups)
    targets = find_targets(model, grouping, memory.targets)
    names = [target.name for one in targets.values() for target in one.targets]
    new, more = update(start, grouping, names)
    overlay = _number(new, grouping, targets, memory)
    warnings = (warning for one in targets.values() for warning in one.warnings)
    return overlay, new, (*warn_left_out(grouping), *warnings, *more)


def overlay_inputs(model: Model, memory: OverlayMemory) -> object:
    """Return what overlays depend on in a model: of policies little, and no rule."""
    return (
        model.namespaces,
        model.members,
        [member.facts for member in model.members],
        model.services,
        find_looks(model.policies, memory.looks),
    )


def _check_lock(lock: Lock | None, name: str, overlay_id: int | None) -> Lock:
    if lock is None:
        given = default_overlay_id(name) if overlay_id is None else overlay_id
        return Lock(name, given)
    if lock.name != name:
        message = f'the lock file is for overlay "{lock.name}", not "{name}"'
        raise OverlayError.of("OVL0012", message, lock.span)
    if overlay_id not in (None, lock.overlay_id):
        texts = overlay_id_text(lock.overlay_id), overlay_id_text(overlay_id or 0)
        message = "the lock file is for overlay id {}, not {}".format(*texts)
        raise OverlayError.of("OVL0012", message, lock.span)
    return lock


class _Numbers(NamedTuple):
    """One namespace, and its numbers: its realm, and ids of workloads and targets.

    `residents` None: only Services are there, and no realm.
    """

    residents: Residents | None
    targets: NamespaceTargets
    realm: int | None
    rows: tuple[WorkloadRow, ...]
    target_ids: tuple[int, ...]


class _Numbered(NamedTuple):
    """The part of an overlay that one namespace is."""

    workloads: tuple[Workload, ...]
    targets: tuple[Target, ...]


def _number(
    lock: Lock,
    grouping: Grouping,
    targets: Mapping[str, NamespaceTargets],
    memory: OverlayMemory,
) -> Overlay:
    realms = {row.name: row.id for row in lock.realms if not row.retired}
    rows: dict[str, list[WorkloadRow]] = {name: [] for name in targets}
    for row in lock.workloads:
        if not row.retired:
            rows[row.name.namespace].append(row)
    target_ids = {row.name: row.id for row in lock.targets if not row.retired}
    parts = [
        memory.numbered.get(
            name,
            _Numbers(
                grouping.residents.get(name),
                mine,
                realms.get(RealmName(grouping.cluster, name)),
                tuple(rows[name]),
                tuple(target_ids[target.name] for target in mine.targets),
            ),
            _number_namespace,
        )
        for name, mine in targets.items()
    ]
    by_id = attrgetter("id")
    return Overlay(
        lock.name,
        lock.overlay_id,
        lock.label_keys,
        tuple(Realm(n, name.cluster, name.namespace) for name, n in realms.items()),
        tuple(sorted((w for part in parts for w in part.workloads), key=by_id)),
        tuple(sorted((t for part in parts for t in part.targets), key=by_id)),
        grouping.left_out,
    )


def _number_namespace(numbers: _Numbers) -> _Numbered:
    """Put its numbers into one namespace."""
    ids = {row.name: row.id for row in numbers.rows}
    pairs = zip(numbers.target_ids, numbers.targets.targets, strict=True)
    return _Numbered(
        tuple(_workloads(numbers)),
        tuple(_target(number, found, ids) for number, found in pairs),
    )


def _workloads(numbers: _Numbers) -> Iterator[Workload]:
    if numbers.residents is None or numbers.realm is None:
        return
    for row in numbers.rows:
        members = numbers.residents.groups[row.name]
        yield Workload(row.id, numbers.realm, *row.name, members, row.revoked)


def _target(number: int, found: FoundTarget, ids: Mapping[Identity, int]) -> Target:
    name = found.name
    ports = (
        TargetPort(
            port.number,
            port.protocol,
            tuple(sorted(Backend(ids[i], at) for i, at in port.endpoints)),
        )
        for port in found.ports
    )
    serving = tuple(sorted(ids[identity] for identity in found.identities))
    return Target(
        number, name.kind, name.namespace, name.name, name.host, tuple(ports), serving
    )

"""Number a model: the overlay that rules, keys and addresses are made for.

Where in the pipeline: `model + lock -> overlay + new lock`. The one entry for `build`,
`explain` and `simulate`. The passes, in order: group members into workloads, refuse
collisions, find targets, update the lock, put the numbers in. Same model and lock,
same result, whatever the order of the manifests.
"""

from __future__ import annotations

from collections.abc import Mapping

from generator.errors import Diagnostic, OverlayError
from generator.overlay.collisions import group_distinctly, uses_by_port
from generator.overlay.lock import Lock, RealmName, WorkloadRow, update
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
from generator.overlay.targets import FoundTarget, find_targets
from generator.overlay.workloads import Grouping, warn_left_out
from generator.policy.model import Model
from generator.policy.selector import keys_of, pod_selectors


def build_overlay(
    model: Model,
    lock: Lock | None,
    *,
    name: str,
    overlay_id: int | None = None,
    cluster: str = DEFAULT_CLUSTER,
) -> tuple[Overlay, Lock, tuple[Diagnostic, ...]]:
    """Return the overlay, the lock to write, and warnings.

    Without a lock everything is numbered anew, for use at once or as a first lock.
    The result depends on `overlay_inputs` and on the other arguments.
    Raises: OverlayError OVL0001, OVL0002, OVL0004, OVL0006, OVL0007, OVL0012.
    """
    start = _check_lock(lock, check_overlay_name(name), overlay_id)
    grouping = group_distinctly(model, cluster=cluster)
    targets, warnings = find_targets(model, grouping)
    new, more = update(start, grouping, [target.name for target in targets])
    overlay = _number(new, grouping, targets)
    return overlay, new, (*warn_left_out(grouping), *warnings, *more)


def overlay_inputs(model: Model) -> object:
    """Return what overlays depend on in a model: of policies little, and no rule."""
    return (
        model.namespaces,
        model.members,
        [member.facts for member in model.members],
        model.services,
        keys_of(pod_selectors(model.policies)),
        uses_by_port(model.policies),
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


def _number(
    lock: Lock, grouping: Grouping, targets: tuple[FoundTarget, ...]
) -> Overlay:
    realms = {row.name: row.id for row in lock.realms if not row.retired}
    rows = [row for row in lock.workloads if not row.retired]
    ids = {row.name: row.id for row in rows}
    target_ids = {row.name: row.id for row in lock.targets if not row.retired}
    numbered = (_target(target_ids[found.name], found, ids) for found in targets)
    return Overlay(
        lock.name,
        lock.overlay_id,
        lock.label_keys,
        tuple(Realm(n, name.cluster, name.namespace) for name, n in realms.items()),
        tuple(_workload(row, realms, grouping) for row in rows),
        tuple(sorted(numbered, key=lambda target: target.id)),
        grouping.left_out,
    )


def _workload(
    row: WorkloadRow, realms: Mapping[RealmName, int], grouping: Grouping
) -> Workload:
    identity = row.name
    return Workload(
        row.id,
        realms[RealmName(identity.cluster, identity.namespace)],
        identity.cluster,
        identity.namespace,
        identity.service_account,
        identity.labels,
        grouping.groups[identity],
        row.revoked,
    )


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

"""The plugin configuration of each workload, with the keys that policy gives it.

Where in the pipeline: `module + overlay + master keys -> configurations -> files or a
Secret`. Which targets a workload may reach, and so which keys it gets, the built
module says (`reach`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generator.analysis.api_version import API_VERSION
from generator.analysis.endpoints import owner_name
from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.analysis.names import suggest
from generator.analysis.reach import reachable_targets
from generator.errors import OverlayError
from generator.overlay.bundle import make_bundle
from generator.overlay.configuration import (
    Endpoint,
    KeyMode,
    Traffic,
    plugin_configuration,
)
from generator.overlay.master_keys import MasterKeys
from generator.overlay.model import Overlay, Workload
from generator.policy.model import IPAddress


@dataclass(frozen=True, slots=True)
class Configured:
    """A workload, how many keys it holds, and its plugin configuration with them."""

    workload: Workload
    keys: int
    configuration: str

    @property
    def owners(self) -> list[str]:
        return sorted({owner_name(member) for member in self.workload.members})


def find_workloads(overlay: Overlay, name: str | None) -> tuple[Workload, ...]:
    """Return the workloads of one owner, or all. Raises: QuestionError RUN0010."""
    if name is None:
        return overlay.workloads
    namespace, _, owner = name.partition("/")
    found = overlay.workloads_by_name.get((namespace, owner))
    if found is None:
        known = (f"{space}/{one}" for space, one in overlay.workloads_by_name)
        message = f"no workload is called {name!a}"
        raise QuestionError.of("RUN0010", message, hint=suggest(name, known))
    return found


def configure(
    engine: Engine,
    overlay: Overlay,
    master: MasterKeys,
    workload: Workload,
    *,
    direction: Traffic | None = None,
    address: IPAddress | None = None,
    takes_any_address: bool = False,
    key_mode: KeyMode = KeyMode.PLAIN,
) -> Configured:
    """Make the configuration of one workload's PEPs.

    `address` is for a PEP outside Kubernetes, which must be told who it is;
    `takes_any_address` for meshes whose gateways hide where a connection began.
    """
    reachable = reachable_targets(engine, workload.id)
    bundle = make_bundle(master, overlay, workload.id, reachable)
    endpoint = None
    if address is not None:
        names = workload.namespace, workload.service_account
        endpoint = Endpoint(*names, workload.labels, address)
    text = plugin_configuration(
        bundle,
        direction=direction,
        endpoint=endpoint,
        takes_any_address=takes_any_address,
        key_mode=key_mode,
    )
    return Configured(workload, len(bundle.send) + len(bundle.receive), text)


def check_room(configured: Sequence[Configured], max_keys: int) -> None:
    """See that each proxy has room for new keys while it still has the old ones.

    Raises: OverlayError OVL0032 for the workload with the most keys.
    """
    most = max(configured, key=lambda one: one.keys, default=None)
    if most is not None and most.keys > max_keys:
        message = (
            f"{', '.join(most.owners)} (workload {most.workload.id}) has {most.keys:,} "
            f"keys, more than the {max_keys:,} that its filter has room for"
        )
        hint = f"type --max-keys {most.keys} here and when you build"
        raise OverlayError.of("OVL0032", message, hint=hint)


def bundles_document(configured: Iterable[Configured]) -> dict[str, object]:
    """Return the JSON document of `pepmesh keys bundle -o json`; it holds secrets."""
    return {
        "apiVersion": API_VERSION,
        "kind": "KeyBundles",
        "workloads": [
            {
                "id": one.workload.id,
                "namespace": one.workload.namespace,
                "serviceAccount": one.workload.service_account,
                "labels": dict(one.workload.labels),
                "owners": one.owners,
                "configuration": one.configuration,
            }
            for one in configured
        ],
    }


def file_names(overlay: Overlay, configured: Configured) -> list[str]:
    """Return a file name per owner: NS.NAME.json.

    An owner whose pods are of several workloads has one file for each of them,
    NS.NAME_ID.json; no name in Kubernetes has an underscore.
    """
    found = []
    for owner in configured.owners:
        namespace, _, name = owner.partition("/")
        is_alone = len(overlay.workloads_by_name[namespace, name]) == 1
        number = "" if is_alone else f"_{configured.workload.id}"
        found.append(f"{namespace}.{name}{number}.json")
    return found

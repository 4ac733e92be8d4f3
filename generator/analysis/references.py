"""References in kubectl's manner: `deploy/cart` with a namespace beside it.

    parse_reference("deploy/cart", "shop")   Reference("Deployment", "shop/cart")
    parse_reference("cart", "shop")          Reference("", "shop/cart")
    parse_reference("shop/cart", "")         None: it is a name, as it stands

Nothing is looked up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_NAMESPACE: Final = "default"
SERVICE: Final = "Service"
POD: Final = "Pod"

_SPELLINGS: Final = {
    "CronJob": "cj cronjob cronjobs",
    "DaemonSet": "ds daemonset daemonsets",
    "Deployment": "deploy deployment deployments",
    "Job": "job jobs",
    POD: "po pod pods",
    "ReplicaSet": "rs replicaset replicasets",
    "ReplicationController": "rc replicationcontroller replicationcontrollers",
    SERVICE: "svc service services",
    "StatefulSet": "sts statefulset statefulsets",
    "WorkloadEntry": "we workloadentry workloadentries",
}
_KINDS: Final = {
    word: kind for kind, words in _SPELLINGS.items() for word in words.split()
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A kind, or "" for any, and "namespace/name"."""

    kind: str
    name: str


def parse_reference(text: str, namespace: str) -> Reference | None:
    """Read a reference; `namespace` "" is kubectl's default one, for kind/name only."""
    front, slash, name = text.partition("/")
    kind = _KINDS.get(front.lower(), "") if slash else ""
    if kind:
        return Reference(kind, f"{namespace or DEFAULT_NAMESPACE}/{name}")
    if not slash and namespace:
        return Reference("", f"{namespace}/{text}")
    return None


def article(kind: str) -> str:
    """Put the article before a kind."""
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"

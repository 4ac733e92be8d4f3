"""The cluster-wide policy kinds: what differs between them, as one table.

ClusterNetworkPolicy (v1alpha2) replaced AdminNetworkPolicy and
BaselineAdminNetworkPolicy (v1alpha1). All three say the same things in different
words; the readers are one, and look here for the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from generator.policy.model import Action, Tier

GROUP: Final = "policy.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind says what all of them say.

    `tier` None: the field `tier` says it. Without a priority there can be one policy
    only, called `default`, and its priority is 0. `most` is the limit of every list
    except networks and domain names, where it is 25.
    """

    kind: str
    version: str
    tier: Tier | None
    has_priority: bool
    actions: Mapping[str, Action]
    ports: str
    most: int

    @property
    def api_version(self) -> str:
        return f"{GROUP}/{self.version}"


CLUSTER: Final = Dialect(
    "ClusterNetworkPolicy",
    "v1alpha2",
    None,
    True,
    {action.value: action for action in Action},
    "protocols",
    25,
)
ADMIN: Final = Dialect(
    "AdminNetworkPolicy",
    "v1alpha1",
    Tier.ADMIN,
    True,
    {"Allow": Action.ACCEPT, "Deny": Action.DENY, "Pass": Action.PASS},
    "ports",
    100,
)
BASELINE: Final = Dialect(
    "BaselineAdminNetworkPolicy",
    "v1alpha1",
    Tier.BASELINE,
    False,
    {"Allow": Action.ACCEPT, "Deny": Action.DENY},
    "ports",
    100,
)
DIALECTS: Final = {each.kind: each for each in (CLUSTER, ADMIN, BASELINE)}

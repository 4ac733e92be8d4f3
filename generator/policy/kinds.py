"""Which kinds of objects pepmesh reads, refuses or leaves to others.

The only table of kinds. A kind is known by its API group and name: Knative's Service
and Volcano's Job are not the ones of Kubernetes. Policy that pepmesh does not
implement yet is refused, since leaving it out would allow what it denies.
"""

from __future__ import annotations

import difflib
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from generator.policy.declarations import TEMPLATES
from generator.policy.dialects import DIALECTS, GROUP
from generator.policy.network_policy import API_VERSION as NETWORK_POLICY_VERSION
from generator.policy.overlay_policy import API_VERSION as OVERLAY_VERSION
from generator.policy.overlay_policy import KIND as OVERLAY_POLICY


class Role(Enum):
    """What is done with an object."""

    NAMESPACE = auto()
    WORKLOAD = auto()
    WORKLOAD_ENTRY = auto()
    SERVICE = auto()
    SERVICE_ACCOUNT = auto()
    NETWORK_POLICY = auto()
    CLUSTER_POLICY = auto()
    OVERLAY_POLICY = auto()
    TEST = auto()
    WRONG_VERSION = auto()
    MISSPELT = auto()
    FOREIGN_POLICY = auto()
    UNKNOWN = auto()


_WORKLOAD_GROUPS: Final[dict[str, frozenset[str]]] = {
    "Pod": frozenset({""}),
    "ReplicationController": frozenset({""}),
    "Job": frozenset({"batch"}),
    "CronJob": frozenset({"batch"}),
    **{
        kind: frozenset({"apps", "extensions"})
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
}

_ROLES: Final[dict[tuple[str, str], Role]] = {
    ("", "Namespace"): Role.NAMESPACE,
    ("", "Service"): Role.SERVICE,
    ("", "ServiceAccount"): Role.SERVICE_ACCOUNT,
    ("networking.istio.io", "WorkloadEntry"): Role.WORKLOAD_ENTRY,
    **{
        (group, kind): Role.WORKLOAD
        for kind, groups in _WORKLOAD_GROUPS.items()
        for group in groups
    },
}

POLICY_VERSIONS: Final = {
    "NetworkPolicy": NETWORK_POLICY_VERSION,
    **{kind: dialect.api_version for kind, dialect in DIALECTS.items()},
    OVERLAY_POLICY: OVERLAY_VERSION,
}
"""The one version that is read of each kind of policy."""

TEST_VERSIONS: Final = {"PolicyTest": OVERLAY_VERSION, "Traffic": OVERLAY_VERSION}
"""What stands beside policies to ask about them: nothing of it is enforced."""

_POLICY_ROLES: Final = {
    "NetworkPolicy": Role.NETWORK_POLICY,
    OVERLAY_POLICY: Role.OVERLAY_POLICY,
}
"""What is left are the cluster-wide kinds."""

_OWN_GROUP: Final = OVERLAY_VERSION.partition("/")[0]

_NETWORKING: Final = frozenset({"Ingress", "IngressClass", "IPAddress", "ServiceCIDR"})
"""All other kinds of networking.k8s.io/v1: `NetworkPolciy` must not be skipped."""

_FOREIGN: Final = frozenset(
    {
        "AuthorizationPolicy",
        "CiliumClusterwideNetworkPolicy",
        "CiliumNetworkPolicy",
        "GlobalNetworkPolicy",
        "StagedNetworkPolicy",
    }
)
"""Policy of other engines, which enforce it themselves whether we read it or not."""

assert _WORKLOAD_GROUPS.keys() == TEMPLATES.keys() | {"Pod"}


@lru_cache
def role_of(api_version: str, kind: str) -> Role:
    """Return what to do with objects of a kind."""
    if kind in POLICY_VERSIONS:
        if api_version != POLICY_VERSIONS[kind]:
            return Role.WRONG_VERSION
        return _POLICY_ROLES.get(kind, Role.CLUSTER_POLICY)
    is_own = api_version.startswith(f"{_OWN_GROUP}/")
    if kind in TEST_VERSIONS and is_own:
        is_read = api_version == TEST_VERSIONS[kind]
        return Role.TEST if is_read else Role.WRONG_VERSION
    if api_version == NETWORK_POLICY_VERSION and kind not in _NETWORKING:
        return Role.MISSPELT
    if api_version.startswith(f"{GROUP}/"):
        return Role.MISSPELT
    if is_own and _is_nearly_ours(kind):
        return Role.MISSPELT
    if kind in _FOREIGN:
        return Role.FOREIGN_POLICY
    group = api_version.rpartition("/")[0]
    return _ROLES.get((group, kind), Role.UNKNOWN)


def _is_nearly_ours(kind: str) -> bool:
    """Tell whether a kind of our group is policy, misspelt or of a later version.

    Lock files, key files and reports have kinds of this group too, and are none.
    """
    known = (OVERLAY_POLICY, *TEST_VERSIONS)
    is_close = difflib.get_close_matches(kind, known, n=1, cutoff=0.8)
    return bool(is_close) or kind.endswith("Policy")

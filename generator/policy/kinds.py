"""Which kinds of objects pepmesh reads, refuses or leaves to others.

The only table of kinds. A kind is known by its API group and name: Knative's Service
and Volcano's Job are not the ones of Kubernetes. Policy that pepmesh does not
implement yet is refused, since leaving it out would allow what it denies.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from generator.policy.declarations import TEMPLATES
from generator.policy.network_policy import API_VERSION as NETWORK_POLICY_VERSION


class Role(Enum):
    """What is done with an object."""

    NAMESPACE = auto()
    WORKLOAD = auto()
    WORKLOAD_ENTRY = auto()
    SERVICE = auto()
    SERVICE_ACCOUNT = auto()
    NETWORK_POLICY = auto()
    WRONG_VERSION = auto()
    MISSPELT = auto()
    NOT_YET = auto()
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

_NOT_YET: Final = frozenset(
    {
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
        "OverlayPolicy",
    }
)

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


def role_of(api_version: str, kind: str) -> Role:
    """Return what to do with objects of a kind."""
    if kind == "NetworkPolicy":
        is_ours = api_version == NETWORK_POLICY_VERSION
        return Role.NETWORK_POLICY if is_ours else Role.WRONG_VERSION
    if api_version == NETWORK_POLICY_VERSION and kind not in _NETWORKING:
        return Role.MISSPELT
    if kind in _NOT_YET:
        return Role.NOT_YET
    if kind in _FOREIGN:
        return Role.FOREIGN_POLICY
    group = api_version.rpartition("/")[0]
    return _ROLES.get((group, kind), Role.UNKNOWN)

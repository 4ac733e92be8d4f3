"""The numbers that a table has for words, as `encode` and `decode` both need them."""

from __future__ import annotations

from typing import Final

from filters.layout import (
    ACTION_ACCEPT,
    ACTION_DENY,
    ACTION_PASS,
    EGRESS,
    HEADER_EXACT,
    HEADER_PREFIX,
    HEADER_PRESENT,
    INGRESS,
    KIND_ADMIN_NETWORK_POLICY,
    KIND_BASELINE_ADMIN_NETWORK_POLICY,
    KIND_CLUSTER_NETWORK_POLICY,
    KIND_NETWORK_POLICY,
    KIND_OVERLAY_POLICY,
    TARGET_SERVICE,
    TARGET_WORKLOAD,
)
from generator.overlay.model import TargetKind
from generator.policy.model import Action, Direction, HeaderKind, PathKind

KINDS: Final = {
    "NetworkPolicy": KIND_NETWORK_POLICY,
    "ClusterNetworkPolicy": KIND_CLUSTER_NETWORK_POLICY,
    "AdminNetworkPolicy": KIND_ADMIN_NETWORK_POLICY,
    "BaselineAdminNetworkPolicy": KIND_BASELINE_ADMIN_NETWORK_POLICY,
    "OverlayPolicy": KIND_OVERLAY_POLICY,
}
HEADER_NUMBERS: Final = {
    HeaderKind.EXACT: HEADER_EXACT,
    HeaderKind.PREFIX: HEADER_PREFIX,
    HeaderKind.PRESENT: HEADER_PRESENT,
}
ACTION_NUMBERS: Final = {
    Action.ACCEPT: ACTION_ACCEPT,
    Action.DENY: ACTION_DENY,
    Action.PASS: ACTION_PASS,
}
DIRECTION_NUMBERS: Final = {Direction.INGRESS: INGRESS, Direction.EGRESS: EGRESS}
TARGET_KINDS: Final = {
    TargetKind.SERVICE: TARGET_SERVICE,
    TargetKind.WORKLOAD: TARGET_WORKLOAD,
}
PATH_NUMBERS: Final = {kind: number for number, kind in enumerate(PathKind)}

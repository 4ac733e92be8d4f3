"""A small rule table with everything in it, made by hand."""

from __future__ import annotations

import hashlib

from filters.layout import Level
from filters.lookup import peer_key
from generator.overlay.model import TargetKind
from generator.policy.model import (
    Action,
    Direction,
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
)
from generator.table.model import (
    Alternative,
    Chain,
    PathState,
    PortRange,
    RuleTable,
    Subject,
    SubjectSet,
    TableBackend,
    TablePolicy,
    TablePort,
    TableRule,
    TableTarget,
    TableWorkload,
)

EVERYTHING = (PortRange(0, 0x2FFFF, 0),)
WEB = (PortRange(80, 80, 1), PortRange(8000, 8100, 2))
DNS = (PortRange(0x10035, 0x10035, 1),)
MANY = tuple(PortRange(port, port + 1, port % 4) for port in range(0, 160, 4))
ALL_OVER = (
    (0, ()),
    *((0x0A000000 + (n << 20), DNS if n % 2 else WEB) for n in range(40)),
)
API = (PortRange(80, 80, 0, chain=0), PortRange(8050, 8050, 1, chain=1))

READS = HttpMatch(
    ("GET", "HEAD"),
    (PathMatch(PathKind.TEMPLATE, "/cart/{*}"),),
    ("*.shop.example",),
    (
        HeaderMatch("x-team", HeaderKind.PREFIX, "blue"),
        HeaderMatch("x-debug", HeaderKind.PRESENT, is_negated=True),
    ),
)
NEW = HttpMatch(paths=(PathMatch(PathKind.EXACT, "/cart/new"),))
ALL_ITEMS = HttpMatch(paths=(PathMatch(PathKind.EXACT, "/items"),))
# Rule 0: reads of /cart/{*}; rule 1: /cart/new; rule 2: anything.
CARTS = Chain(
    plain=2,
    alternatives=(
        Alternative(0, True, READS),
        Alternative(1, True, NEW),
        Alternative(2),
    ),
    states=(
        PathState(4, (("cart", 1),), (2,)),
        PathState(2, (("", 4), ("new", 3)), (2,)),
        PathState(4, (), (0, 1)),
        PathState(4, (), (0, 1, 2)),
        PathState(4, (), (1, 2)),
    ),
)
ITEMS = Chain(
    plain=None,
    alternatives=(Alternative(1, True, ALL_ITEMS),),
    states=(PathState(None, (("items", 1),), ()), PathState(None, (), (0,))),
)


NOBODY: SubjectSet = (None, None, None)
LAST: SubjectSet = (4, 3, 5)


def workload(
    number: int, realm: int, ingress: SubjectSet, egress: SubjectSet
) -> TableWorkload:
    """Subjects are enforced and audited alike, but for the last workload."""
    return TableWorkload(
        id=number,
        realm=realm,
        service_account="default",
        revoked=number == 4,
        ingress=ingress,
        egress=egress,
        audited_ingress=ingress,
        audited_egress=LAST if number == 4 else egress,
        wide_peer=number,
        local_peer=1,
        digest=hashlib.sha256(bytes([number])).digest()[:8],
    )


TABLE = RuleTable(
    overlay_id=0xA1B2C3D4E5,
    has_ipv4_instances=True,
    has_audited_policies=True,
    label_keys=("app", "tier"),
    realms={1: "shop", 3: "ops"},  # 2 is retired
    realm_classes={1: 0, 3: 1},
    workloads=(
        workload(1, 1, NOBODY, (None, 1, None)),
        workload(2, 1, (4, 2, None), (None, 3, 5)),
        workload(4, 3, (None, 1, None), (None, 6, None)),  # 3 is retired
    ),
    targets=(
        TableTarget(
            1,
            TargetKind.SERVICE,
            1,
            "cart",
            (TablePort(80, (TableBackend(1, 8080), TableBackend(2, 8081))),),
        ),
        TableTarget(
            2,
            TargetKind.WORKLOAD,
            3,
            "cart.v2",
            (TablePort(0, tuple(TableBackend(number, 0) for number in (1, 2, 4))),),
        ),
    ),
    subjects=(
        Subject(),
        Subject(default_rule=3, members=EVERYTHING),
        Subject(
            default_rule=4,
            outside=WEB,
            addresses4=((0, ()), (0x0A000000, DNS), (0x0B000000, ())),
            addresses6=((0, ()), (0x20010DB8 << 96, WEB)),
            any_address=DNS,
            peers={
                peer_key(Level.REALM, 1): DNS,
                peer_key(Level.LOCAL, 1): DNS,
                peer_key(Level.WIDE, 1): EVERYTHING,
                peer_key(Level.REALM_CLASS, 1): DNS,
                peer_key(Level.REALM, 3): API,
                **{peer_key(Level.WIDE, number): WEB for number in range(2, 9)},
            },
        ),
        Subject(
            default_rule=5,
            peers={peer_key(Level.WIDE, 1): API, peer_key(Level.WIDE, 4): WEB},
        ),
        Subject(members=(PortRange(80, 81, 6), PortRange(90, 90, 7))),
        Subject(members=(PortRange(0, 0x2FFFF, 8),), outside=EVERYTHING),
        Subject(default_rule=5, outside=MANY, addresses4=ALL_OVER),
    ),
    member_blocks=((0, False), (0x0A000000, True), (0x0B000000, False)),
    chains=(CARTS, ITEMS),
    rules=(
        TableRule(0, Direction.INGRESS, 0, 11),
        TableRule(0, Direction.INGRESS, 1, 14),
        TableRule(0, Direction.INGRESS, 2, 17),
        TableRule(0, Direction.INGRESS, None, 1),
        TableRule(1, Direction.EGRESS, 0, 31),
        TableRule(1, Direction.EGRESS, None, 21),
        TableRule(2, Direction.INGRESS, 0, 41, Action.PASS),
        TableRule(2, Direction.EGRESS, 0, 43, Action.DENY),
        TableRule(3, Direction.EGRESS, 0, 51, Action.DENY),
    ),
    policies=(
        TablePolicy("NetworkPolicy", "shop", "web", "shop.yaml"),
        TablePolicy("NetworkPolicy", "shop", "ünï", "shop.yaml"),
        TablePolicy("ClusterNetworkPolicy", "", "guard", "admin.yaml"),
        TablePolicy("BaselineAdminNetworkPolicy", "", "default", "admin.yaml"),
    ),
)

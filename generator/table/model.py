"""The rule table as data, before it is bytes and after it is read back.

Where in the pipeline: `overlay + policies -> RuleTable -> bytes`. `rules.py` makes it,
`encode.py` writes it, `decode.py` reads it; the layout's numbers are in
filters/layout.py. A *key* is protocol << 16 | port, so that the ports of all
protocols are one line of numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from filters.layout import Level
from filters.lookup import peer_key
from generator.overlay.model import TargetKind
from generator.policy.model import Action, Direction, HttpMatch, Tier

NO_CHAIN: Final = -1


class PortRange(NamedTuple):
    """Keys `first` to `last`, inclusive, on which rule `rule` decides.

    `chain` is the number of the chain if requests make a difference; `rule` is then
    its first rule.
    """

    first: int
    last: int
    rule: int
    chain: int = NO_CHAIN


PortList = tuple[PortRange, ...]
"""Disjoint, sorted ranges; empty means that nothing is said."""

AddressList = tuple[tuple[int, PortList], ...]
"""Start address and what holds from there on; starts at 0. Empty: no address rules."""


class Alternative(NamedTuple):
    """One entry of a rule's `http`, or all of a rule that asks nothing.

    `condition` is the entry; the filter looks for its paths in the chain's automaton.
    `has_paths`: some entry of the rule has paths.
    """

    rule: int
    has_paths: bool = False
    condition: HttpMatch | None = None


class PathState(NamedTuple):
    """A state of an automaton over segments. States are numbered within their chain.

    `default` is where segments lead that have no edge; None: no alternative is left.
    `accepts` are the alternatives whose path ends here, by number.
    """

    default: int | None
    edges: tuple[tuple[str, int | None], ...]
    accepts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules that ask about the request; `plain` is for flows that are not HTTP."""

    plain: int | None
    alternatives: tuple[Alternative, ...]
    states: tuple[PathState, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a distinct set of policies says in one direction.

    `default_rule` names the isolating policy (normal tier); None: not isolated.
    `members` holds for every member, `outside` for every address outside the
    overlay, `any_address` what the rules about IPv4 addresses would accept or pass of a
    member whose address is not known yet, `peers` by `filters.lookup.peer_key`.
    """

    default_rule: int | None = None
    members: PortList = ()
    outside: PortList = ()
    addresses4: AddressList = ()
    addresses6: AddressList = ()
    any_address: PortList = ()
    peers: Mapping[int, PortList] = field(default_factory=dict)


SubjectSet = tuple[int | None, int | None, int | None]
"""The subjects of a workload in one direction: Admin, normal and Baseline tier."""


class TableWorkload(NamedTuple):
    """A workload as the filter knows it; `ingress` ... are the subjects by tier: what
    is enforced, and what would be if audited policies were. `digest` is the first 8
    bytes of the identity digest.
    """

    id: int
    realm: int
    service_account: str
    revoked: bool
    ingress: SubjectSet
    egress: SubjectSet
    audited_ingress: SubjectSet
    audited_egress: SubjectSet
    wide_peer: int
    local_peer: int
    digest: bytes


class TableBackend(NamedTuple):
    """Port 0: the port that was asked for."""

    workload: int
    port: int


class TablePort(NamedTuple):
    """Key 0: any TCP port."""

    key: int
    backends: tuple[TableBackend, ...]


class TableTarget(NamedTuple):
    """A target by name; hosts are spelt by kind, as in `Target.host`."""

    id: int
    kind: TargetKind
    realm: int
    name: str
    ports: tuple[TablePort, ...]


class TablePolicy(NamedTuple):
    """Where rules come from."""

    kind: str
    namespace: str
    name: str
    file: str


class TableRule(NamedTuple):
    """What a rule id means. `number` None: isolated, and nothing matched."""

    policy: int
    direction: Direction
    number: int | None
    line: int
    action: Action = Action.ACCEPT


@dataclass(frozen=True, slots=True)
class RuleTable:
    """Everything that a filter knows. Ids are positions where not said otherwise."""

    overlay_id: int
    has_ipv4_instances: bool
    has_audited_policies: bool
    label_keys: tuple[str, ...]
    realms: Mapping[int, str]
    realm_classes: Mapping[int, int]
    workloads: tuple[TableWorkload, ...]
    targets: tuple[TableTarget, ...]
    subjects: tuple[Subject, ...]
    member_blocks: tuple[tuple[int, bool], ...]
    chains: tuple[Chain, ...]
    rules: tuple[TableRule, ...]
    policies: tuple[TablePolicy, ...]

    def subjects_of(
        self, workload: TableWorkload, direction: Direction
    ) -> tuple[tuple[Tier, int], ...]:
        """The tiers that speak about a workload, with their subjects' numbers."""
        is_ingress = direction is Direction.INGRESS
        found = workload.ingress if is_ingress else workload.egress
        return tuple(
            (tier, number)
            for tier, number in zip(Tier, found, strict=True)
            if number is not None
        )

    def peer_keys(self, own: TableWorkload, peer: TableWorkload) -> tuple[int, ...]:
        """What the subjects of a workload may know another by (filters/lookup.py)."""
        keys = [
            peer_key(Level.REALM, peer.realm),
            peer_key(Level.REALM_CLASS, self.realm_classes[peer.realm]),
            peer_key(Level.WIDE, peer.wide_peer),
        ]
        if own.realm == peer.realm:
            keys.append(peer_key(Level.LOCAL, peer.local_peer))
        return tuple(keys)

    def policy_title(self, policy: int) -> str:
        """Name a policy for people: Kind namespace/name."""
        row = self.policies[policy]
        name = f"{row.namespace}/{row.name}" if row.namespace else row.name
        return f"{row.kind} {name}"

    def rule_name(self, rule: int) -> str:
        """Spell a rule as the filter does: Kind/namespace/name/direction/number.

        Kinds that are cluster-wide have no namespace.
        """
        row = self.rules[rule]
        policy = self.policies[row.policy]
        number = "default" if row.number is None else str(row.number)
        names = (policy.kind, policy.namespace, policy.name, row.direction, number)
        return "/".join(name for name in names if name)

    def rule_place(self, rule: int) -> str:
        """Where a rule is written, as file:line."""
        row = self.rules[rule]
        return f"{self.policies[row.policy].file}:{row.line}"

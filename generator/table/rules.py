"""Number the rules: a rule's id is its place in the order of evaluation.

Where in the pipeline: `policies -> rules -> subjects -> rule table`. Tiers come in
order; within Admin and Baseline lower priorities first, then rules as they stand. The
result does not depend on the order of the manifests. NetworkPolicies only add, so
their order among themselves decides nothing but which of several matching rules is
named.

What a policy says does not depend on its place: so it is read once, its rules numbered
from 0, and kept for as long as the policy is the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from generator.memory import Attached
from generator.policy.model import (
    AccountPeer,
    Action,
    Direction,
    DomainPeer,
    NodePeer,
    OverlayPeer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
)
from generator.table.model import TablePolicy, TableRule
from generator.table.selections import Ask, Selection, selection_of

DIRECTIONS: Final = (Direction.INGRESS, Direction.EGRESS)

PortName = tuple[str, Protocol | None]
"""Name and protocol of a port; None: of any protocol."""

RuleRow = tuple[int | None, int, Action]
"""Number, line and action. Number None: isolated, and nothing matched."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """What one policy says in one direction, its rules closed and numbered from 0.

    `asks` has one for each peer of each rule, and one for a rule without peers.
    `rows` has a row per rule, and one more if the policy isolates: the default. Without
    rows nothing is said. `names` are the named ports that the rules use.
    """

    direction: Direction
    tier: Tier
    rules: tuple[PolicyRule, ...]
    asks: tuple[Ask, ...]
    rows: tuple[RuleRow, ...]
    names: tuple[PortName, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Statements:
    """One policy, and what it says by direction.

    `peers` are the selections of all its peers, also where nothing is said, and
    `egress_names` the named ports of all its egress rules.
    """

    policy: Policy
    subject: Selection
    peers: tuple[Selection, ...]
    egress_names: tuple[PortName, ...]
    by_direction: Mapping[Direction, Statement]


StatementsMemory = Attached[Policy, Statements]


@dataclass(frozen=True)
class Rules:
    """All policies and rules in order of evaluation.

    `firsts` has the id of the first rule that each policy has in a direction; the
    others follow.
    """

    policies: tuple[Policy, ...]
    statements: tuple[Statements, ...]
    firsts: tuple[Mapping[Direction, int], ...]
    rows: tuple[TableRule, ...]

    def port_names(self) -> tuple[PortName, ...]:
        """The named ports that egress rules use, sorted."""
        return sorted_names(
            {name for one in self.statements for name in one.egress_names}
        )

    def table_policies(self) -> tuple[TablePolicy, ...]:
        return tuple(
            TablePolicy(p.kind, p.namespace, p.name, p.span.file) for p in self.policies
        )


def number_rules(
    policies: Iterable[Policy], memory: StatementsMemory | None = None
) -> Rules:
    """Order the policies, and give every rule its id."""
    memory = StatementsMemory() if memory is None else memory
    ordered = in_order(policies)
    statements = tuple(memory.get_all(ordered, read_statements))
    firsts: list[Mapping[Direction, int]] = []
    rows: list[TableRule] = []
    for place, one in enumerate(statements):
        mine: dict[Direction, int] = {}
        for direction, statement in one.by_direction.items():
            mine[direction] = len(rows)
            rows += [TableRule(place, direction, *row) for row in statement.rows]
        firsts.append(mine)
    return Rules(ordered, statements, tuple(firsts), tuple(rows))


def in_order(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Return policies in the order of evaluation."""
    return tuple(sorted(policies, key=_evaluation_order))


def _evaluation_order(policy: Policy) -> tuple[int, int, str, str, str]:
    """Ties of tier and priority are refused or warned about before; then by name."""
    place = (policy.tier, policy.priority)
    return (*place, policy.namespace, policy.name, policy.kind)


def read_statements(policy: Policy) -> Statements:
    """Read what a policy says, whatever the others say."""
    known: dict[Selection, Selection] = {}
    asks = {id(rule): tuple(_asks(policy, rule, known)) for rule in policy.rules}
    egress = (rule for rule in policy.rules if rule.direction is Direction.EGRESS)
    return Statements(
        policy,
        selection_of(policy, policy.subject),
        tuple(known),
        _names_in(egress),
        {direction: _statement(policy, direction, asks) for direction in DIRECTIONS},
    )


def _asks(
    policy: Policy, rule: PolicyRule, known: dict[Selection, Selection]
) -> Iterator[Ask]:
    """Yield what a rule asks; equal selections of a policy are one object."""
    named: tuple[PortMatch, ...] = ()
    if rule.direction is Direction.EGRESS:
        named = tuple(port for port in rule.ports or () if port.name)
    if rule.peers is None:
        yield Ask(None, named)
    for peer in rule.peers or ():
        if isinstance(peer, PodPeer | AccountPeer | OverlayPeer):
            selection = selection_of(policy, peer)
            yield Ask(known.setdefault(selection, selection), named)
        else:
            yield Ask(peer)


def _statement(
    policy: Policy, direction: Direction, asks: Mapping[int, tuple[Ask, ...]]
) -> Statement:
    isolates = policy.tier is Tier.NORMAL and direction in policy.isolates
    if policy.tier is Tier.NORMAL and not isolates:
        return Statement(direction, policy.tier, (), (), (), ())
    mine = [rule for rule in policy.rules if rule.direction is direction]
    rules = tuple(map(closed, mine))
    rows: list[RuleRow] = [(r.number, r.span.start.line + 1, r.action) for r in rules]
    if isolates:
        rows.append((None, policy.span.start.line + 1, Action.DENY))
    return Statement(
        direction,
        policy.tier,
        rules,
        tuple(ask for rule in mine if not rule.via for ask in asks[id(rule)]),
        tuple(rows),
        _names_in(rules),
    )


def _names_in(rules: Iterable[PolicyRule]) -> tuple[PortName, ...]:
    """The named ports of some rules, sorted."""
    found = {
        (port.name, port.protocol)
        for rule in rules
        for port in rule.ports or ()
        if port.name
    }
    return sorted_names(found)


def sorted_names(names: Iterable[PortName]) -> tuple[PortName, ...]:
    return tuple(sorted(names, key=lambda name: (name[0], name[1] or "")))


def closed(rule: PolicyRule) -> PolicyRule:
    """Make a rule fail closed that asks for what cannot be told here.

    Which PEPs traffic has passed is not known, so `via`, which only accepts, matches
    nothing.
    Which addresses nodes have is not known here. Accept matches nothing by such a peer;
    Deny and Pass match every address outside the overlay, since a node is one of them,
    and Pass becomes Deny: leaving the tier might skip a Deny that comes later.
    """
    if rule.via:
        return replace(rule, peers=())
    unknown = any(isinstance(p, NodePeer | DomainPeer) for p in rule.peers or ())
    if not unknown or rule.action is Action.ACCEPT:
        return rule
    return replace(rule, action=Action.DENY)

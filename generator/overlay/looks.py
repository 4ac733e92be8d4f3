"""What policies look at in members: labels, and ports by name.

Where in the pipeline: before `workloads`. All that an overlay depends on in policies is
here; of a rule it is little, so that most edits of policies leave the overlay as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from generator.memory import Attached
from generator.policy.model import (
    Direction,
    LabelSelector,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
    protocols_of,
)
from generator.policy.selector import keys_of, pod_selectors
from generator.source import Span

PortName = tuple[str, Protocol]


@dataclass(frozen=True, slots=True)
class Use:
    """Pods whose port of some name a rule opens. None selects everything."""

    namespace: str | None
    namespaces: LabelSelector | None
    pods: LabelSelector | None
    span: Span | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Looks:
    """The keys of labels, and by port name the pods at whose end rules open it."""

    label_keys: frozenset[str]
    uses: Mapping[PortName, tuple[Use, ...]]


LooksMemory = Attached[Policy, Looks]
"""What each policy looks at."""


def find_looks(policies: Iterable[Policy], memory: LooksMemory | None = None) -> Looks:
    """Return what policies look at, together."""
    memory = LooksMemory() if memory is None else memory
    found = memory.get_all(policies, _looks_of)
    uses: dict[PortName, dict[Use, None]] = {}
    for one in found:
        for name, mine in one.uses.items():
            uses.setdefault(name, {}).update(dict.fromkeys(mine))
    return Looks(
        frozenset().union(*(one.label_keys for one in found)),
        {name: tuple(each) for name, each in uses.items()},
    )


def _looks_of(policy: Policy) -> Looks:
    uses: dict[PortName, list[Use]] = {}
    for rule in policy.rules:
        if policy.tier is Tier.NORMAL and rule.direction not in policy.isolates:
            continue
        for port in rule.ports or ():
            for protocol in protocols_of(port) if port.name else ():
                found = uses.setdefault((port.name, protocol), [])
                found += _uses(policy, rule, port)
    return Looks(
        keys_of(pod_selectors([policy])), {name: tuple(u) for name, u in uses.items()}
    )


def _uses(policy: Policy, rule: PolicyRule, port: PortMatch) -> Iterator[Use]:
    """Yield the pods at whose end the port of a rule is.

    A named port on an ipBlock matches nothing, so a block peer uses none.
    """
    if rule.direction is Direction.INGRESS:
        yield _use(policy, policy.subject, port)
    elif rule.peers is None:
        yield Use(None, None, None, port.span)
    else:
        for peer in rule.peers:
            if isinstance(peer, PodPeer):
                yield _use(policy, peer, port)


def _use(policy: Policy, pods: PodPeer, port: PortMatch) -> Use:
    own = policy.namespace if pods.namespaces is None else None
    return Use(own, pods.namespaces, pods.pods, port.span)

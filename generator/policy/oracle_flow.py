"""What the oracle is asked and what it answers. Part of `oracle`: data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv6Address

from generator.policy.model import (
    Direction,
    IPAddress,
    Member,
    Policy,
    PolicyRule,
    Tier,
)


class HostNetwork(Enum):
    """How pods on the host network are seen; the API allows both.

    BY_ADDRESS: "it ignores hostNetwork pods when matching podSelector and
    namespaceSelector. Traffic to/from hostNetwork pods is treated the same as all
    other traffic to/from the node IP. (This is the most common implementation.)"
    AS_POD: it "will apply NetworkPolicy to hostNetwork pods just like it does to
    pod-network pods". For comparison with tools that do not look at hostNetwork.
    """

    BY_ADDRESS = auto()
    AS_POD = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of a member, its underlay address and its overlay address.

    Either may be unknown. Manifests do not tell overlay addresses: they are given when
    an overlay is numbered.
    """

    member: Member
    address: IPAddress | None = None
    overlay: IPv6Address | None = None


End = Endpoint | IPAddress
"""An end of a flow: an endpoint, or an address outside the cluster."""


@dataclass(frozen=True, slots=True)
class DirectionVerdict:
    """What one direction says, and by what.

    `tier`, `policy` and `rule` decided: the rule that allows or denies; in the normal
    tier the first policy by namespace and name that allows, or else that isolates, and
    then there is no rule. Nothing decided: all three are None, and the flow is allowed.
    `isolating` and `allowing` are all policies of the normal tier that isolate the
    subject, and all their rules that allow the flow; empty if a tier before it decided.
    `is_ambiguous`: denied, and the request can be read in two ways by a rule that
    otherwise matches it: the rule that denied, or any of the policies that isolate.
    """

    direction: Direction
    allowed: bool = True
    tier: Tier | None = None
    policy: Policy | None = None
    rule: PolicyRule | None = None
    isolating: tuple[Policy, ...] = ()
    allowing: tuple[tuple[Policy, PolicyRule], ...] = ()
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class OracleDecision:
    """The verdicts of both directions; both must allow."""

    egress: DirectionVerdict
    ingress: DirectionVerdict

    @property
    def allowed(self) -> bool:
        return self.egress.allowed and self.ingress.allowed


def endpoints(member: Member) -> tuple[Endpoint, ...]:
    """Return the endpoints that manifests know, or one of unknown address."""
    if not member.addresses:
        return (Endpoint(member),)
    return tuple(Endpoint(member, address) for address in member.addresses)

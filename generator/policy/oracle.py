"""The slow, obvious evaluator: what the policies of a model say about one flow.

The reference for tests. It reads the model and nothing else: it shares no code with
the rule table, the compiler or the filter, not even the evaluation of selectors, since
a shared mistake would agree with itself. Written to be compared with the API's text,
sentence by sentence; nothing is cached.

    Admin tier -> NetworkPolicy, if it isolates -> Baseline tier -> allowed

Decisions of ours where the API leaves a choice (DESIGN.md has the reasons):
- ipBlock matches a member by the underlay address that the flow has, if it is known;
- a flow from an endpoint to itself is always allowed; two endpoints of one member, or
  endpoints of unknown address, are not known to be the same and are judged;
- a pod on the host network is judged by its address only (`HostNetwork.BY_ADDRESS`);
- policies of one tier and priority go by name, then by kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from generator.policy.model import (
    Action,
    BlockPeer,
    Direction,
    IPAddress,
    Member,
    Model,
    NodePeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
)
from generator.policy.oracle_labels import block_contains, selects


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
    """One endpoint of a member, and its underlay address if that is known."""

    member: Member
    address: IPAddress | None = None


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
    """

    direction: Direction
    allowed: bool = True
    tier: Tier | None = None
    policy: Policy | None = None
    rule: PolicyRule | None = None
    isolating: tuple[Policy, ...] = ()
    allowing: tuple[tuple[Policy, PolicyRule], ...] = ()


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


def decide(
    model: Model,
    source: End,
    destination: End,
    protocol: Protocol,
    port: int,
    *,
    host_network: HostNetwork = HostNetwork.BY_ADDRESS,
    audit: bool = False,
) -> OracleDecision:
    """Decide one flow to a port of the destination.

    `audit`: as if audited policies were enforced; otherwise they are not there.
    """
    flow = source, destination, protocol, port
    return _Question(model, *flow, host_network, audit).answer()


@dataclass(frozen=True, slots=True)
class _Question:
    """A flow, and the model to judge it by."""

    model: Model
    source: End
    destination: End
    protocol: Protocol
    port: int
    host_network: HostNetwork = HostNetwork.BY_ADDRESS
    audit: bool = False

    def answer(self) -> OracleDecision:
        egress, ingress = Direction.EGRESS, Direction.INGRESS
        # "exception: a pod cannot block access to itself"
        if self.is_self():
            return OracleDecision(*map(DirectionVerdict, (egress, ingress)))
        # Both are needed: egress at the source and ingress at the destination.
        return OracleDecision(
            self.judge(egress, self.source, self.destination),
            self.judge(ingress, self.destination, self.source),
        )

    def is_self(self) -> bool:
        """Tell whether both ends are known to be one endpoint, not two replicas."""
        source = self.source
        return (
            isinstance(source, Endpoint)
            and source.address is not None
            and source == self.destination
        )

    def judge(self, direction: Direction, subject: End, peer: End) -> DirectionVerdict:
        """Judge one direction, tier by tier; the first that decides is final."""
        return (
            self.judge_by_order(Tier.ADMIN, direction, subject, peer)
            or self.judge_by_union(direction, subject, peer)
            or self.judge_by_order(Tier.BASELINE, direction, subject, peer)
            or DirectionVerdict(direction)
        )

    def judge_by_order(
        self, tier: Tier, direction: Direction, subject: End, peer: End
    ) -> DirectionVerdict | None:
        """Judge by the first rule that matches; None: the next tier decides.

        "policies with lower priority values have higher precedence", and the rules of
        one policy are tried in their order. Accept and Deny are final; Pass skips the
        rest of the tier.
        """
        for policy in self.policies_of(tier, subject):
            for rule in policy.rules:
                if rule.direction != direction:
                    continue
                if self.rule_matches(rule, policy, peer):
                    if rule.action is Action.PASS and not _speaks_of_nodes(rule):
                        return None
                    is_allowed = rule.action is Action.ACCEPT
                    return DirectionVerdict(direction, is_allowed, tier, policy, rule)
        return None

    def judge_by_union(
        self, direction: Direction, subject: End, peer: End
    ) -> DirectionVerdict | None:
        """Judge by NetworkPolicy; None if none of them isolates the subject.

        "Traffic is allowed to a pod if there are no NetworkPolicies selecting the pod
        [...] OR if the traffic matches at least one ingress rule across all of the
        NetworkPolicy objects whose podSelector matches the pod." Egress likewise.
        """
        selecting = self.policies_of(Tier.NORMAL, subject)
        isolating = tuple(p for p in selecting if direction in p.isolates)
        if not isolating:
            return None
        allowing = tuple(
            (policy, rule)
            for policy in isolating
            for rule in policy.rules
            if rule.direction == direction and self.rule_matches(rule, policy, peer)
        )
        policy, rule = allowing[0] if allowing else (isolating[0], None)
        found = DirectionVerdict(direction, bool(allowing), Tier.NORMAL, policy, rule)
        return replace(found, isolating=isolating, allowing=allowing)

    def policies_of(self, tier: Tier, end: End) -> list[Policy]:
        """Return the policies of a tier that select an end, in their order."""
        member = self.pod(end)
        if member is None:
            return []
        found = [
            policy
            for policy in self.model.policies
            if policy.tier is tier
            and (self.audit or not policy.is_audited)
            and self.pod_matches(policy.subject, policy, member)
        ]
        return sorted(found, key=lambda p: (p.priority, p.namespace, p.name, p.kind))

    def pod(self, end: End) -> Member | None:
        """Return the member that selectors can see at an end of the flow."""
        if not isinstance(end, Endpoint):
            return None
        by_address = self.host_network is HostNetwork.BY_ADDRESS
        return None if end.member.host_network and by_address else end.member

    def rule_matches(self, rule: PolicyRule, policy: Policy, peer: End) -> bool:
        """Tell whether some peer of a rule and some port of it match together.

        Of both lists: "Items in this list are combined using a logical OR operation.
        If this field is empty or missing, this rule matches all": None in the model.
        """
        for entry in (None,) if rule.peers is None else rule.peers:
            for port in (None,) if rule.ports is None else rule.ports:
                if self.peer_matches(entry, rule, policy, peer) and self.port_matches(
                    port, rule.direction, entry
                ):
                    return True
        return False

    def peer_matches(
        self, entry: Peer | None, rule: PolicyRule, policy: Policy, peer: End
    ) -> bool:
        if entry is None:
            return True
        if isinstance(entry, BlockPeer):
            address = peer.address if isinstance(peer, Endpoint) else peer
            return block_contains(entry, address)
        if not isinstance(entry, PodPeer):
            # Which addresses nodes and names have is not known, but not members'. So
            # Accept matches none; Deny and Pass, which fail closed, all others.
            return rule.action is not Action.ACCEPT and self.pod(peer) is None
        member = self.pod(peer)
        return member is not None and self.pod_matches(entry, policy, member)

    def pod_matches(self, entry: PodPeer, policy: Policy, pod: Member) -> bool:
        # "If namespaceSelector is also set, then [it] selects the pods matching
        # podSelector in the Namespaces selected by NamespaceSelector. Otherwise it
        # selects the pods matching podSelector in the policy's own namespace."
        if entry.namespaces is None:
            is_namespace_selected = pod.namespace == policy.namespace
        else:
            namespace = self.model.namespaces[pod.namespace]
            is_namespace_selected = selects(entry.namespaces, namespace.labels)
        is_pod_selected = entry.pods is None or selects(entry.pods, pod.labels)
        return is_namespace_selected and is_pod_selected

    def port_matches(
        self, port: PortMatch | None, direction: Direction, entry: Peer | None
    ) -> bool:
        if port is None:
            return True
        # "If present, only traffic on the specified protocol AND port will be matched."
        # A cluster-wide policy names a port without a protocol: any will do.
        if port.protocol is not None and port.protocol != self.protocol:
            return False
        if port.name:
            return self.named_port_matches(port, direction, entry)
        # "If this field is not provided, this matches all port names and numbers."
        if port.first is None or port.last is None:
            return True
        # "the range of ports from port to endPort if set, inclusive"
        return port.first <= self.port <= port.last

    def named_port_matches(
        self, port: PortMatch, direction: Direction, entry: Peer | None
    ) -> bool:
        """Resolve a name: "a named port on a pod", which is the flow's destination.

        A destination that a block matched is an address, not a pod: no name.
        """
        if direction is Direction.EGRESS and isinstance(entry, BlockPeer):
            return False
        pod = self.pod(self.destination)
        return pod is not None and any(
            declared.name == port.name
            and declared.protocol == self.protocol
            and declared.number == self.port
            for declared in pod.ports
        )


def _speaks_of_nodes(rule: PolicyRule) -> bool:
    """Such a Pass is a Deny: leaving the tier might skip a Deny that comes later."""
    return any(isinstance(peer, NodePeer) for peer in rule.peers or ())

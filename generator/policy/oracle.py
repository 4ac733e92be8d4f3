"""The slow, obvious evaluator: what the policies of a model say about one flow.

The reference for tests. It reads the model and nothing else: it shares no code with
the rule table, the compiler or the filter, and evaluates selectors on its own although
`selector.py` could, since a shared mistake would agree with itself. Written to be
compared with the API's text, sentence by sentence; nothing is cached or ordered.

Decisions of ours where the API leaves a choice (DESIGN.md has the reasons):
- ipBlock matches a member by the underlay address that the flow has, if it is known;
- a flow from an endpoint to itself is always allowed; two endpoints of one member, or
  endpoints of unknown address, are not known to be the same and are judged;
- a pod on the host network is judged by its address only (`HostNetwork.BY_ADDRESS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from generator.policy.model import (
    BlockPeer,
    Direction,
    IPAddress,
    Labels,
    LabelSelector,
    Member,
    Model,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
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
    """One endpoint of a member, and its underlay address if that is known."""

    member: Member
    address: IPAddress | None = None


End = Endpoint | IPAddress
"""An end of a flow: an endpoint, or an address outside the cluster."""


@dataclass(frozen=True, slots=True)
class DirectionVerdict:
    """What one direction says: who isolates the subject, which rules allow the flow."""

    direction: Direction
    isolating: tuple[Policy, ...] = ()
    allowing: tuple[tuple[Policy, PolicyRule], ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.isolating or bool(self.allowing)

    @property
    def policy(self) -> Policy | None:
        """The policy that allows the flow, or else the one that isolates its subject;
        the first of its kind by namespace and name. None if nothing isolates."""
        if self.allowing:
            return self.allowing[0][0]
        return self.isolating[0] if self.isolating else None

    @property
    def rule(self) -> PolicyRule | None:
        """The rule that allows the flow, if the subject is isolated at all."""
        return self.allowing[0][1] if self.allowing else None


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
) -> OracleDecision:
    """Decide one flow to a port of the destination."""
    return _Question(model, source, destination, protocol, port, host_network).answer()


@dataclass(frozen=True, slots=True)
class _Question:
    """A flow, and the model to judge it by."""

    model: Model
    source: End
    destination: End
    protocol: Protocol
    port: int
    host_network: HostNetwork

    def answer(self) -> OracleDecision:
        # "exception: a pod cannot block access to itself"
        if self.is_self():
            return OracleDecision(
                DirectionVerdict(Direction.EGRESS), DirectionVerdict(Direction.INGRESS)
            )
        # Both are needed: egress at the source and ingress at the destination.
        return OracleDecision(
            self.judge(Direction.EGRESS, self.source, self.destination),
            self.judge(Direction.INGRESS, self.destination, self.source),
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
        """Judge one direction.

        "Traffic is allowed to a pod if there are no NetworkPolicies selecting the pod
        [...] OR if the traffic matches at least one ingress rule across all of the
        NetworkPolicy objects whose podSelector matches the pod." Egress likewise.
        """
        isolating = tuple(self.policies_of(direction, subject))
        allowing = tuple(
            (policy, rule)
            for policy in isolating
            for rule in policy.rules
            if rule.direction == direction and self.rule_matches(rule, policy, peer)
        )
        return DirectionVerdict(direction, isolating, allowing)

    def policies_of(self, direction: Direction, end: End) -> Iterator[Policy]:
        """Yield the policies that isolate an end, by namespace and name."""
        member = self.pod(end)
        if member is None:
            return
        for policy in sorted(self.model.policies, key=_policy_order):
            if direction in policy.isolates and self.pod_matches(
                policy.subject, policy, member
            ):
                yield policy

    def pod(self, end: End) -> Member | None:
        """Return the member that selectors can see at an end of the flow."""
        if not isinstance(end, Endpoint):
            return None
        by_address = self.host_network is HostNetwork.BY_ADDRESS
        return None if end.member.host_network and by_address else end.member

    def rule_matches(self, rule: PolicyRule, policy: Policy, peer: End) -> bool:
        """Tell whether some peer of a rule and some port of it match together.

        Of both lists: "Items in this list are combined using a logical OR operation.
        If this field is empty or missing, this rule matches all".
        """
        for entry in rule.peers or (None,):
            for port in rule.ports or (None,):
                if self.peer_matches(entry, policy, peer) and self.port_matches(
                    port, rule.direction, entry
                ):
                    return True
        return False

    def peer_matches(self, entry: Peer | None, policy: Policy, peer: End) -> bool:
        if entry is None:
            return True
        if isinstance(entry, BlockPeer):
            return _block_contains(entry, peer)
        if not isinstance(entry, PodPeer):
            return False
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
            is_namespace_selected = _selects(entry.namespaces, namespace.labels)
        is_pod_selected = entry.pods is None or _selects(entry.pods, pod.labels)
        return is_namespace_selected and is_pod_selected

    def port_matches(
        self, port: PortMatch | None, direction: Direction, entry: Peer | None
    ) -> bool:
        if port is None:
            return True
        # "If present, only traffic on the specified protocol AND port will be matched."
        if port.protocol != self.protocol:
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

        A destination that an ipBlock matched is an address, not a pod: no name.
        """
        if direction is Direction.EGRESS and isinstance(entry, BlockPeer):
            return False
        pod = self.pod(self.destination)
        return pod is not None and any(
            declared.name == port.name
            and declared.protocol == port.protocol
            and declared.number == self.port
            for declared in pod.ports
        )


def _policy_order(policy: Policy) -> tuple[str, str]:
    return policy.namespace, policy.name


def _block_contains(block: BlockPeer, end: End) -> bool:
    """Tell whether a block has an address: in the cidr, in none of its exceptions."""
    address = end.address if isinstance(end, Endpoint) else end
    if address is None:
        return False
    return address in block.cidr and not any(
        address in exception for exception in block.excepts
    )


def _selects(selector: LabelSelector, labels: Labels) -> bool:
    # "The requirements are ANDed."
    return all(_meets(requirement, labels) for requirement in selector.requirements)


def _meets(requirement: Requirement, labels: Labels) -> bool:
    """Tell whether labels meet a requirement, told apart by whether the key is there.

    "There is a match in the following cases: [...] (4) The operator is DoesNotExist
    or NotIn and Labels does not have the Requirement's key."
    """
    if requirement.key not in labels:
        return requirement.operator in (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
    is_listed = any(labels[requirement.key] == value for value in requirement.values)
    return {
        Operator.EXISTS: True,
        Operator.DOES_NOT_EXIST: False,
        Operator.IN: is_listed,
        Operator.NOT_IN: not is_listed,
    }[requirement.operator]

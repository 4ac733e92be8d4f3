"""Which policies and rules of a model match a flow. Part of `oracle`.

The sentences in quotes are the API's. Nothing is cached, and no order is known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    Member,
    Model,
    NodePeer,
    OverlayPeer,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Tier,
)
from generator.policy.oracle_flow import End, Endpoint, HostNetwork
from generator.policy.oracle_http import Holds, holds_in_order, holds_in_union
from generator.policy.oracle_labels import block_contains, selects
from generator.policy.request import HttpRequest


@dataclass(frozen=True, slots=True)
class Question:
    """A flow, and the model to judge it by."""

    model: Model
    source: End
    destination: End
    protocol: Protocol
    port: int
    host_network: HostNetwork = HostNetwork.BY_ADDRESS
    audit: bool = False
    request: HttpRequest | None = None

    def is_self(self) -> bool:
        """Tell whether both ends are known to be one endpoint, not two replicas."""
        source, destination = self.source, self.destination
        return (
            isinstance(source, Endpoint)
            and isinstance(destination, Endpoint)
            and source.member == destination.member
            and source.address is not None
            and source.address == destination.address
        )

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

    def rule_holds(self, rule: PolicyRule, policy: Policy, peer: End) -> Holds:
        """Tell whether a rule matches the flow, and the request if it asks for one.

        "A rule with `http` never matches a flow that is not HTTP." PEPs that traffic
        has passed are not checked yet, so nobody has passed them.
        """
        if rule.via or not self.rule_matches(rule, policy, peer):
            return Holds.NO
        if rule.http is None:
            return Holds.YES
        if self.request is None:
            return Holds.NO
        is_union = policy.tier is Tier.NORMAL
        holds = holds_in_union if is_union else holds_in_order
        return holds(rule.http, self.request)

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
        if isinstance(entry, OverlayPeer):
            return self.overlay_matches(entry, rule, peer)
        member = self.pod(peer)
        if isinstance(entry, AccountPeer):
            return member is not None and (
                member.namespace == entry.namespace
                and member.service_account == entry.name
            )
        if not isinstance(entry, PodPeer):
            # Which addresses nodes and names have is not known, but not members'. So
            # Accept matches none; Deny and Pass, which fail closed, all others.
            return rule.action is not Action.ACCEPT and member is None
        return member is not None and self.pod_matches(entry, policy, member)

    def overlay_matches(self, entry: OverlayPeer, rule: PolicyRule, peer: End) -> bool:
        """Tell whether a member's overlay address is in a CIDR; others have none."""
        if not isinstance(peer, Endpoint) or self.pod(peer) is None:
            return False
        if peer.overlay is None:
            return rule.action is not Action.ACCEPT
        return peer.overlay in entry.cidr

    def is_unsure(self, rule: PolicyRule, peer: End) -> bool:
        """Tell whether a rule that matches may do so since something is not known."""
        peers = rule.peers or ()
        is_unnumbered = (
            isinstance(peer, Endpoint)
            and self.pod(peer) is not None
            and peer.overlay is None
        )
        return any(isinstance(entry, NodePeer) for entry in peers) or (
            is_unnumbered and any(isinstance(entry, OverlayPeer) for entry in peers)
        )

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

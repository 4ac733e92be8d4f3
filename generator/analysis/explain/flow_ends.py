"""The ends of a flow as the model knows them: labels, accounts, addresses.

Where in the pipeline: `a judged flow -> Asked -> conditions -> trace, near misses`.
The module gives the verdict; this is what a person is told about it. So an end has
what the filter can see and nothing more: the address of a member counts only where
the filter knows it, and an endpoint on the host network is an address outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network

from generator.analysis.endpoints import Endpoint
from generator.overlay.address import workload_network
from generator.overlay.model import Overlay
from generator.policy.model import (
    Direction,
    IPAddress,
    Labels,
    Member,
    Model,
    Protocol,
)
from generator.policy.request import HttpRequest
from generator.policy.selector import namespace_labels
from generator.table.model import RuleTable


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """One end of a flow. `member` None: outside the overlay, with no labels.

    `network` has the overlay addresses of a member's workload; `address` is None if
    the filter does not know it.
    """

    title: str
    member: Member | None = None
    namespace_labels: Labels | None = None
    network: IPv6Network | None = None
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One direction of a flow. `request` None: the flow is not HTTP."""

    direction: Direction
    subject: FlowEnd
    peer: FlowEnd
    protocol: Protocol
    port: int
    request: HttpRequest | None = None

    @property
    def destination(self) -> FlowEnd:
        return self.peer if self.direction is Direction.EGRESS else self.subject


def end_of(
    title: str, endpoint: Endpoint, member: Member | None, sources: EndSources
) -> FlowEnd:
    """Return an endpoint as the model knows it; `member` is who it is of."""
    if endpoint.workload is None or member is None:
        return FlowEnd(title, address=endpoint.address)
    row = endpoint.workload
    is_known = sources.table.has_ipv4_instances and isinstance(
        endpoint.address, IPv4Address
    )
    return FlowEnd(
        title,
        member,
        namespace_labels(sources.model, member.namespace),
        workload_network(sources.overlay.id, row.realm, row.id),
        endpoint.address if is_known else None,
    )


@dataclass(frozen=True, slots=True)
class EndSources:
    """Where facts about ends come from."""

    model: Model
    overlay: Overlay
    table: RuleTable

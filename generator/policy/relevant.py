"""Find what policies and Services can tell endpoints apart by.

Where in the pipeline: before members are made. Endpoints of one owner that agree in
all of this are one member: no verdict and no Service can differ between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.memory import Attached
from generator.policy.model import Policy, Service
from generator.policy.selector import keys_of, pod_selectors


@dataclass(frozen=True, slots=True)
class Relevant:
    """Label keys and names of container ports."""

    label_keys: frozenset[str]
    port_names: frozenset[str]


RelevantMemory = Attached[Policy, Relevant]
"""What each policy speaks of."""


def find_relevant(
    policies: Iterable[Policy],
    services: Iterable[Service],
    memory: RelevantMemory | None = None,
) -> Relevant:
    """Return every label key and port name that somebody speaks of."""
    memory = RelevantMemory() if memory is None else memory
    found = memory.get_all(policies, _relevant_to_policy)
    services = tuple(services)
    targets = {port.target for service in services for port in service.ports}
    names = {target for target in targets if isinstance(target, str)}
    return Relevant(
        frozenset().union(
            *(one.label_keys for one in found),
            *(service.selector or () for service in services),
        ),
        frozenset(names).union(*(one.port_names for one in found)),
    )


def _relevant_to_policy(policy: Policy) -> Relevant:
    ports = (port for rule in policy.rules for port in rule.ports or ())
    names = frozenset(port.name for port in ports if port.name)
    return Relevant(keys_of(pod_selectors([policy])), names)

"""Find what policies and Services can tell endpoints apart by.

Where in the pipeline: before members are made. Endpoints of one owner that agree in
all of this are one member: no verdict and no Service can differ between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.policy.model import Policy, Service
from generator.policy.selector import keys_of, pod_selectors


@dataclass(frozen=True, slots=True)
class Relevant:
    """Label keys and names of container ports."""

    label_keys: frozenset[str]
    port_names: frozenset[str]


def find_relevant(policies: Iterable[Policy], services: Iterable[Service]) -> Relevant:
    """Return every label key and port name that somebody speaks of."""
    policies, services = tuple(policies), tuple(services)
    keys = keys_of(pod_selectors(policies))
    keys |= {key for service in services for key in service.selector or {}}
    ports = {
        port.name
        for policy in policies
        for rule in policy.rules
        for port in rule.ports or ()
        if port.name
    }
    targets = {port.target for service in services for port in service.ports}
    names = {target for target in targets if isinstance(target, str)}
    return Relevant(keys, frozenset(ports | names))

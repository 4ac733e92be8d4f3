"""Put the model together from what files say, and compare what they say twice.

Part of `load`. One object may be in several manifests if they say the same; a policy
may not, since nobody would know which one holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from generator.errors import Note
from generator.policy.contents import Contents
from generator.policy.declarations import Declaration
from generator.policy.findings import Findings
from generator.policy.members import MembersMemory, make_members
from generator.policy.model import (
    NAME_LABEL,
    Model,
    Namespace,
    Policy,
    Service,
)
from generator.policy.overlay_policy import SYSTEM_NAMESPACE
from generator.policy.relevant import RelevantMemory, find_relevant


@dataclass(slots=True)
class Reading:
    """What has been taken so far."""

    findings: Findings
    declared: dict[str, Namespace] = field(default_factory=dict)
    mentioned: dict[str, None] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    policies: dict[tuple[str, str, str], Policy] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def take(self, contents: Contents) -> None:
        """Take what one file says."""
        for namespace in contents.namespaces:
            self._take_namespace(namespace)
        self.mentioned.update(dict.fromkeys(contents.mentioned))
        self.declarations += contents.declarations
        for service in contents.services:
            self._take_service(service)
        for policy in contents.policies:
            self._take_policy(policy)
        self.unknown.update(contents.unknown)
        self.findings.extend(contents.diagnostics)

    def report_unknown(self) -> None:
        """Count what is neither policy nor inventory, in one line."""
        if self.unknown:
            kinds = ", ".join(f"{k} ({n})" for k, n in sorted(self.unknown.items()))
            message = f"skipped {self.unknown.total()} objects of other kinds: {kinds}"
            self.findings.add("INP0012", message)

    def model(
        self,
        relevant_memory: RelevantMemory | None = None,
        members_memory: MembersMemory | None = None,
    ) -> Model:
        """Put together what was read."""
        policies = tuple(self.policies.values())
        services = tuple(self.services.values())
        relevant = find_relevant(policies, services, relevant_memory)
        members = make_members(
            self.declarations, relevant, self.findings, members_memory
        )
        self._warn_of_undeclared(policies)
        namespaces = dict(self.declared)
        for name in self.mentioned:
            labels = {NAME_LABEL: name}
            namespaces.setdefault(name, Namespace(name, labels, is_declared=False))
        return Model(namespaces, members, services, policies)

    def _take_namespace(self, namespace: Namespace) -> None:
        first = self.declared.setdefault(namespace.name, namespace)
        if first is not namespace and dict(first.labels) != dict(namespace.labels):
            message = f'Namespace "{namespace.name}" is declared in two different ways'
            notes = (Note("first here", first.span),)
            self.findings.add("POL0015", message, namespace.span, notes=notes)

    def _take_service(self, service: Service) -> None:
        key = service.namespace, service.name
        first = self.services.setdefault(key, service)
        if first is service:
            return
        if (first.selector, first.ports) != (service.selector, service.ports):
            title = f'Service "{service.namespace}/{service.name}"'
            message = f"{title} is declared in two different ways"
            notes = (Note("first here", first.span),)
            self.findings.add("POL0015", message, service.span, notes=notes)

    def _take_policy(self, policy: Policy) -> None:
        key = policy.kind, policy.namespace, policy.name
        first = self.policies.setdefault(key, policy)
        if first is not policy:
            prefix = f"{policy.namespace}/" if policy.namespace else ""
            title = f'{policy.kind} "{prefix}{policy.name}"'
            notes = (Note("first here", first.span),)
            self.findings.add(
                "POL0014", f"{title} is there twice", policy.span, notes=notes
            )

    def _warn_of_undeclared(self, policies: Iterable[Policy]) -> None:
        """Warn once for each namespace; its policies are compiled all the same.

        Whoever writes to the namespace of mesh-wide policies needs no manifest of it.
        """
        warned = {*self.declared, SYSTEM_NAMESPACE}
        for policy in policies:
            if policy.namespace and policy.namespace not in warned:
                warned.add(policy.namespace)
                message = f'namespace "{policy.namespace}" has no manifest'
                self.findings.add("POL0016", message, policy.span)

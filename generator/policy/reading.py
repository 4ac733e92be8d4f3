"""Take manifests in, one after the other, and put the model together.

Part of `load`. What an object is decides `kinds`; what it says is read by the module
of its kind. Here it is remembered, compared with others of its name, and named.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from generator.errors import Note
from generator.policy.cluster_policy import read_cluster_policy
from generator.policy.declarations import (
    Declaration,
    read_declaration,
    read_workload_entry,
)
from generator.policy.documents import Manifest
from generator.policy.findings import Findings
from generator.policy.kinds import POLICY_VERSIONS, TEST_VERSIONS, Role, role_of
from generator.policy.labels import read_labels, read_namespace_name
from generator.policy.members import make_members
from generator.policy.mode import is_audited
from generator.policy.model import (
    NAME_LABEL,
    Model,
    Namespace,
    Policy,
    Service,
)
from generator.policy.network_policy import read_network_policy
from generator.policy.overlay_policy import SYSTEM_NAMESPACE, read_overlay_policy
from generator.policy.relevant import find_relevant
from generator.policy.services import read_service


@dataclass(slots=True)
class Reading:
    """What has been read so far."""

    findings: Findings
    default_namespace: str
    declared: dict[str, Namespace] = field(default_factory=dict)
    mentioned: dict[str, None] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    policies: dict[tuple[str, str, str], Policy] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def take(self, manifest: Manifest) -> None:
        """Read one object. Raises: PolicyError at the first fault in inventory."""
        match role_of(manifest.api_version, manifest.kind):
            case Role.NAMESPACE:
                self._take_namespace(manifest)
            case Role.WORKLOAD:
                namespace = self._namespace_of(manifest)
                found = read_declaration(manifest, namespace, self.findings)
                self.declarations += [found] if found else []
            case Role.WORKLOAD_ENTRY:
                namespace = self._namespace_of(manifest)
                self.declarations.append(read_workload_entry(manifest, namespace))
            case Role.SERVICE:
                self._take_service(manifest)
            case Role.SERVICE_ACCOUNT:
                self._namespace_of(manifest)
                manifest.name()
            case Role.NETWORK_POLICY:
                namespace = self._namespace_of(manifest)
                policy = read_network_policy(manifest, namespace, self.findings)
                self._take_policy(policy, manifest)
            case Role.CLUSTER_POLICY:
                policy = read_cluster_policy(manifest, self.findings)
                self._take_policy(policy, manifest)
            case Role.OVERLAY_POLICY:
                namespace = self._namespace_of(manifest)
                policy = read_overlay_policy(manifest, namespace, self.findings)
                self._take_policy(policy, manifest)
            case Role.TEST:
                pass  # `pepmesh test` and `pepmesh simulate` read these
            case Role.UNKNOWN:
                self.unknown[manifest.kind] += 1
            case (Role.WRONG_VERSION | Role.MISSPELT | Role.FOREIGN_POLICY) as role:
                _refuse(manifest, role, self.findings)

    def report_unknown(self) -> None:
        """Count what is neither policy nor inventory, in one line."""
        if self.unknown:
            kinds = ", ".join(f"{k} ({n})" for k, n in sorted(self.unknown.items()))
            message = f"skipped {self.unknown.total()} objects of other kinds: {kinds}"
            self.findings.add("INP0012", message)

    def model(self) -> Model:
        """Put together what was read."""
        policies = tuple(self.policies.values())
        services = tuple(self.services.values())
        relevant = find_relevant(policies, services)
        members = make_members(self.declarations, relevant, self.findings)
        self._warn_of_undeclared(policies)
        namespaces = dict(self.declared)
        for name in self.mentioned:
            labels = {NAME_LABEL: name}
            namespaces.setdefault(name, Namespace(name, labels, is_declared=False))
        return Model(namespaces, members, services, policies)

    def _namespace_of(self, manifest: Manifest) -> str:
        namespace = manifest.namespace(self.default_namespace)
        self.mentioned[namespace] = None
        return namespace

    def _take_namespace(self, manifest: Manifest) -> None:
        namespace = _read_namespace(manifest, self.findings)
        first = self.declared.setdefault(namespace.name, namespace)
        if dict(first.labels) != dict(namespace.labels):
            message = f'Namespace "{namespace.name}" is declared in two different ways'
            notes = (Note("first here", first.span),)
            self.findings.add("POL0015", message, namespace.span, notes=notes)

    def _take_service(self, manifest: Manifest) -> None:
        service = read_service(manifest, self._namespace_of(manifest))
        key = service.namespace, service.name
        first = self.services.setdefault(key, service)
        if (first.selector, first.ports) != (service.selector, service.ports):
            title = f'Service "{service.namespace}/{service.name}"'
            message = f"{title} is declared in two different ways"
            notes = (Note("first here", first.span),)
            self.findings.add("POL0015", message, service.span, notes=notes)

    def _take_policy(self, policy: Policy, manifest: Manifest) -> None:
        if is_audited(manifest):
            policy = replace(policy, is_audited=True)
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


def _read_namespace(manifest: Manifest, findings: Findings) -> Namespace:
    """Read a namespace; the API server sets the name label, whatever it was."""
    value = manifest.metadata.require("name")
    name = read_namespace_name(value)
    labels = read_labels(manifest.metadata.get("labels"))
    given = labels.get(NAME_LABEL, name)
    if given != name:
        message = f'the label {NAME_LABEL} of "{name}" cannot be "{given}"'
        findings.add("POL0024", message, manifest.span)
    return Namespace(
        name, {**labels, NAME_LABEL: name}, is_declared=True, span=value.span
    )


def _refuse(manifest: Manifest, role: Role, findings: Findings) -> None:
    """Report a policy that pepmesh does not implement."""
    kind = manifest.kind
    match role:
        case Role.WRONG_VERSION:
            expected = (POLICY_VERSIONS | TEST_VERSIONS)[kind]
            message = f"{kind} of {manifest.api_version} is not {expected}"
            hint = f"pepmesh reads apiVersion: {expected}"
            findings.add("POL0025", message, manifest.span, hint)
        case Role.MISSPELT:
            message = f'{manifest.api_version} has no kind "{kind}"'
            known = (*POLICY_VERSIONS, *TEST_VERSIONS)
            close = difflib.get_close_matches(kind, known, n=1)
            hint = f'did you mean "{close[0]}"?' if close else ""
            span = manifest.body.require("kind").span
            findings.add("POL0027", message, span, hint)
        case _:
            message = f"{kind} is a policy of another engine and is not read"
            findings.add("POL0026", message, manifest.span)

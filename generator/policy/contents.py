"""Read what one file says, whatever the others say.

Part of `load`. What an object is decides `kinds`; what it says is read by the module of
its kind. What files have to do with each other comes after, in `reading`: so contents
depend on the text of their file and on the default namespace only, and whoever loads
again reads again only the files that changed.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace

from generator.errors import Diagnostic
from generator.policy.cluster_policy import read_cluster_policy
from generator.policy.declarations import (
    Declaration,
    read_declaration,
    read_workload_entry,
)
from generator.policy.documents import Manifest, read_manifests
from generator.policy.findings import Findings
from generator.policy.kinds import POLICY_VERSIONS, TEST_VERSIONS, Role, role_of
from generator.policy.labels import read_labels_of, read_namespace_name
from generator.policy.mode import is_audited
from generator.policy.model import NAME_LABEL, Namespace, Policy, Service
from generator.policy.network_policy import read_network_policy
from generator.policy.overlay_policy import read_overlay_policy
from generator.policy.services import read_service
from generator.source import SourceFile


@dataclass(frozen=True, slots=True)
class Contents:
    """The objects of one file, each kind in their order, and what was found in them.

    `mentioned` are the namespaces of objects; `unknown` are the kinds of objects that
    are neither policy nor inventory, one entry per object.
    """

    namespaces: tuple[Namespace, ...]
    mentioned: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    services: tuple[Service, ...]
    policies: tuple[Policy, ...]
    unknown: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_contents(source: SourceFile, default_namespace: str) -> Contents:
    """Read one file. Nothing is raised: what is wrong is in the diagnostics."""
    findings = Findings()
    reading = _Reading(findings, default_namespace)
    findings.each(read_manifests(source, findings), reading.take)
    return reading.contents()


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    findings: Findings
    default_namespace: str
    namespaces: list[Namespace] = field(default_factory=list)
    mentioned: dict[str, None] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def contents(self) -> Contents:
        return Contents(
            tuple(self.namespaces),
            tuple(self.mentioned),
            tuple(self.declarations),
            tuple(self.services),
            tuple(self.policies),
            tuple(self.unknown),
            self.findings.sorted(),
        )

    def take(self, manifest: Manifest) -> None:
        """Read one object. Raises: PolicyError at the first fault in inventory."""
        match role_of(manifest.api_version, manifest.kind):
            case Role.NAMESPACE:
                self.namespaces.append(_read_namespace(manifest, self.findings))
            case Role.WORKLOAD:
                namespace = self._namespace_of(manifest)
                found = read_declaration(manifest, namespace, self.findings)
                self.declarations += [found] if found else []
            case Role.WORKLOAD_ENTRY:
                namespace = self._namespace_of(manifest)
                self.declarations.append(read_workload_entry(manifest, namespace))
            case Role.SERVICE:
                self.services.append(
                    read_service(manifest, self._namespace_of(manifest))
                )
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
                self.unknown.append(manifest.kind)
            case (Role.WRONG_VERSION | Role.MISSPELT | Role.FOREIGN_POLICY) as role:
                _refuse(manifest, role, self.findings)

    def _namespace_of(self, manifest: Manifest) -> str:
        namespace = manifest.namespace(self.default_namespace)
        self.mentioned[namespace] = None
        return namespace

    def _take_policy(self, policy: Policy, manifest: Manifest) -> None:
        if is_audited(manifest):
            policy = replace(policy, is_audited=True)
        self.policies.append(policy)


def _read_namespace(manifest: Manifest, findings: Findings) -> Namespace:
    """Read a namespace; the API server sets the name label, whatever it was."""
    value = manifest.metadata.require("name")
    name = read_namespace_name(value)
    labels = read_labels_of(manifest.metadata, "labels")
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

"""Make members from declarations: find the outermost owner, merge what is equal.

Where in the pipeline: `Declaration -> model.Member`, once policies are known. All
endpoints of one owner that no policy and no Service can tell apart are one member:
they agree in namespace, service account, host network, and in those labels and port
names that some selector, rule or Service speaks of. A StatefulSet's pods differ in
`statefulset.kubernetes.io/pod-name`, which matters only where a policy selects by it.

A merged member has the labels that all its endpoints have, all their ports and all
their addresses. If an owner's endpoints do differ, there are several members of one
name, and a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from operator import itemgetter
from typing import Final

from generator.errors import Diagnostic, Note
from generator.memory import Kept, Same
from generator.policy.declarations import POD, Declaration, Owner
from generator.policy.findings import Findings
from generator.policy.model import Labels, Member
from generator.policy.pod_facts import join_facts
from generator.policy.relevant import Relevant

_CLIMBING: Final = frozenset({POD, "ReplicaSet", "ReplicationController", "Job"})
"""Kinds whose owner is the workload. A Deployment stays one, whoever made it."""

_HASH_LABEL: Final = "pod-template-hash"
_MINUTES: Final = re.compile(r"-[0-9]+\Z")

Key = tuple[str, str, str]
_Registry = Mapping[Key, Declaration]


@dataclass(frozen=True, slots=True)
class Made:
    """The members of one namespace, the first declaration of each one's owner, and what
    there is to say about them."""

    members: tuple[Member, ...]
    firsts: tuple[Declaration, ...]
    diagnostics: tuple[Diagnostic, ...]


MembersMemory = Kept[str, tuple[Same[Declaration], Relevant], Made]
"""Members by namespace, what declares them and what is relevant."""


def make_members(
    declarations: Iterable[Declaration],
    relevant: Relevant,
    findings: Findings,
    memory: MembersMemory | None = None,
) -> tuple[Member, ...]:
    """Return the members in the order in which their owners first appear.

    Adds to `findings`: POL0015 one object declared in two ways, POL0017 two kinds of
    one name, POL0023 an owner whose endpoints differ.
    """
    memory = MembersMemory() if memory is None else memory
    memory.start()
    places: dict[int, int] = {}
    by_namespace: dict[str, list[Declaration]] = {}
    for declaration in declarations:
        places[id(declaration)] = len(places)
        by_namespace.setdefault(declaration.namespace, []).append(declaration)
    found: list[tuple[int, Member]] = []
    for namespace, mine in by_namespace.items():
        made = memory.get(namespace, (Same(mine), relevant), _make)
        found += [
            (places[id(first)], member)
            for first, member in zip(made.firsts, made.members, strict=True)
        ]
        findings.extend(made.diagnostics)
    found.sort(key=itemgetter(0))
    return tuple(member for _, member in found)


def _make(declared: tuple[Same[Declaration], Relevant]) -> Made:
    """Make the members of one namespace; no owner is in another one."""
    declarations, relevant = declared
    findings = Findings()
    unique = _without_duplicates(declarations.objects, findings)
    groups: dict[Key, list[Declaration]] = {}
    for key, declaration in unique.items():
        owner = _outermost(declaration, unique)
        # Old ReplicaSets stay in the cluster, scaled to nothing: no endpoints.
        if declaration.has_pods or owner == key:
            groups.setdefault(owner, []).append(declaration)
    members: list[Member] = []
    firsts: list[Declaration] = []
    for key, group in groups.items():
        parts = [group] if len(group) == 1 else _partition(group, relevant)
        if len(parts) > 1:
            _warn_of_parts(key, parts, findings)
        members += [_merge(key, part) for part in parts]
        firsts += [group[0]] * len(parts)
    _warn_of_shared_names(members, findings)
    return Made(tuple(members), tuple(firsts), findings.sorted())


def _without_duplicates(
    declarations: Iterable[Declaration], findings: Findings
) -> dict[Key, Declaration]:
    """Return each object once; two of one name must say the same."""
    unique: dict[Key, Declaration] = {}
    for declaration in declarations:
        key = declaration.kind, declaration.namespace, declaration.name
        first = unique.setdefault(key, declaration)
        if first is not declaration and first != declaration:
            message = f"{_title(key)} is declared in two different ways"
            notes = (Note("first here", first.span),)
            findings.add("POL0015", message, declaration.span, notes=notes)
    return unique


def _outermost(declaration: Declaration, registry: _Registry) -> Key:
    """Return kind, namespace and name of the workload that a declaration is part of."""
    namespace = declaration.namespace
    kind, name, owner = declaration.kind, declaration.name, declaration.owner
    seen = {(kind, name)}
    while kind in _CLIMBING:
        owner = owner or _implied_owner(kind, name, declaration, registry)
        if owner is None or (owner.kind, owner.name) in seen:
            break
        if not owner.kind:
            return POD, namespace, owner.name
        kind, name = owner.kind, owner.name
        seen.add((kind, name))
        above = registry.get((kind, namespace, name))
        owner = above.owner if above else None
    return kind, namespace, name


def _implied_owner(
    kind: str, name: str, declaration: Declaration, registry: _Registry
) -> Owner | None:
    """Return the owner that a name implies, if a manifest of that owner is there.

    A Deployment names its ReplicaSets `NAME-HASH` and labels them with the hash; a
    CronJob names its Jobs `NAME-MINUTES`.
    """
    namespace = declaration.namespace
    if kind == "ReplicaSet":
        suffix = "-" + declaration.labels.get(_HASH_LABEL, "")
        base = name.removesuffix(suffix)
        if len(suffix) > 1 and ("Deployment", namespace, base) in registry:
            return Owner("Deployment", base)
    if kind == "Job":
        base = _MINUTES.sub("", name)
        if base != name and ("CronJob", namespace, base) in registry:
            return Owner("CronJob", base)
    return None


def _partition(
    group: Iterable[Declaration], relevant: Relevant
) -> list[list[Declaration]]:
    """Split the declarations of one owner where something can tell them apart."""
    parts: dict[object, list[Declaration]] = {}
    for declaration in group:
        labels = declaration.labels
        key = (
            tuple(sorted((k, labels[k]) for k in relevant.label_keys if k in labels)),
            frozenset(p for p in declaration.ports if p.name in relevant.port_names),
            declaration.service_account,
            declaration.host_network,
        )
        parts.setdefault(key, []).append(declaration)
    return list(parts.values())


def _merge(key: Key, part: list[Declaration]) -> Member:
    """Make one member of declarations that are equal to everybody else."""
    kind, namespace, name = key
    first = part[0]
    ports = dict.fromkeys(port for each in part for port in each.ports)
    addresses = dict.fromkeys(a for each in part for a in each.addresses)
    return Member(
        kind,
        namespace,
        name,
        _common_labels(part),
        first.service_account,
        tuple(ports),
        tuple(addresses),
        first.host_network,
        first.span,
        join_facts(each.facts for each in part),
        is_mixed=len({_has_ipv4(each) for each in part if each.addresses}) > 1,
    )


def _has_ipv4(declaration: Declaration) -> bool:
    return any(isinstance(address, IPv4Address) for address in declaration.addresses)


def _common_labels(part: list[Declaration]) -> Labels:
    first, *rest = part
    if not rest:
        return first.labels
    return {
        key: value
        for key, value in first.labels.items()
        if all(other.labels.get(key) == value for other in rest)
    }


def _warn_of_parts(
    key: Key, parts: list[list[Declaration]], findings: Findings
) -> None:
    first, *others = [part[0] for part in parts]
    message = f"the pods of {_title(key)} differ in what policies look at"
    notes = tuple(Note("differs from this one", other.span) for other in others)
    findings.add("POL0023", message, first.span, notes=notes)


def _warn_of_shared_names(members: Iterable[Member], findings: Findings) -> None:
    """Warn of members that reports cannot tell apart: they print ns/name."""
    for first, second in _shared_names(members):
        message = (
            f'{first.kind} and {second.kind} are both called "{first.namespace}/'
            f'{first.name}": reports show them as one'
        )
        notes = (Note("the other one is here", first.span),)
        findings.add("POL0017", message, second.span, notes=notes)


def _shared_names(members: Iterable[Member]) -> Iterator[tuple[Member, Member]]:
    firsts: dict[tuple[str, str], Member] = {}
    reported = set()
    for member in members:
        first = firsts.setdefault((member.namespace, member.name), member)
        kinds = member.namespace, member.name, member.kind
        if first.kind != member.kind and kinds not in reported:
            reported.add(kinds)
            yield first, member


def _title(key: Key) -> str:
    kind, namespace, name = key
    return f'{kind} "{namespace}/{name}"'

"""Fill the template of a policy.

Part of `scaffold`: `kind + facts -> text`. Templates are data in `templates/`; what is
filled in is written by `flow_yaml`, so that no name can change the meaning of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Final

from generator.policy.model import NAME_LABEL, ContainerPort, Model, Tier
from generator.scaffold.facts import Facts, Party
from generator.scaffold.flow_yaml import block, flow

_CLIENT: Final = {"app": "client"}
_KUBE_DNS: Final = Party("kube-system", "kube-dns", {"k8s-app": "kube-dns"})
_FIRST_PRIORITY: Final = 100


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between the kinds. `indent`: where the fields of a peer start."""

    template: str
    indent: int
    peer: Callable[[Party, str], dict[str, object]]
    port: Callable[[ContainerPort], dict[str, object]]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy, and its name as rules of it begin: Kind/namespace/name."""

    name: str
    title: str
    text: str


def _selectors(party: Party, namespace: str) -> dict[str, object]:
    """Name the namespace only if it is another one."""
    pods: dict[str, object] = {"podSelector": {"matchLabels": party.labels}}
    if party.namespace == namespace:
        return pods
    return {"namespaceSelector": _namespace(party.namespace), **pods}


def _both_selectors(party: Party, _: str) -> dict[str, object]:
    return _selectors(party, "")


def _namespace(name: str) -> dict[str, object]:
    return {"matchLabels": {NAME_LABEL: name}}


def _port(port: ContainerPort) -> dict[str, object]:
    return {"protocol": port.protocol.value, "port": port.number}


def _destination(port: ContainerPort) -> dict[str, object]:
    return {port.protocol.value.lower(): {"destinationPort": {"number": port.number}}}


FORMS: Final = {
    "NetworkPolicy": Form("network_policy", 6, _selectors, _port),
    "ClusterNetworkPolicy": Form(
        "cluster_network_policy", 8, _both_selectors, _destination
    ),
    "OverlayPolicy": Form("overlay_policy", 8, _selectors, _port),
}


def write_policy(kind: str, facts: Facts, model: Model, test_file: str) -> PolicyText:
    """Write a policy of some kind, with a name that no other one has."""
    form, workload = FORMS[kind], facts.workload
    is_wide = kind == "ClusterNetworkPolicy"
    namespace = "" if is_wide else workload.namespace
    name = _free_name(kind, namespace, workload, model)
    client = facts.client or Party(workload.namespace, "client", _CLIENT)
    resolver = facts.resolver or _KUBE_DNS
    text = fill(
        form.template,
        {
            "title": workload.title,
            "test_file": test_file,
            "name": flow(name),
            "namespace": flow(workload.namespace),
            "labels": flow(workload.labels),
            "subject_namespace": flow({NAME_LABEL: workload.namespace}),
            "client": _peer(form, client, workload),
            "resolver": _peer(form, resolver, workload),
            "port": flow(form.port(facts.port)),
            "more_ports": _more_ports(facts.ports),
            "dns_port": str(facts.dns_port),
            "priority": str(_free_priority(model)),
        },
    )
    title = "/".join(part for part in (kind, namespace, name) if part)
    return PolicyText(name, title, text)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill a template of this package."""
    path = files("generator.scaffold") / "templates" / f"{template}.yaml.tmpl"
    return Template(path.read_text(encoding="utf-8")).substitute(values)


def _peer(form: Form, party: Party, workload: Party) -> str:
    return block(form.peer(party, workload.namespace), form.indent)


def _more_ports(ports: Iterable[ContainerPort]) -> str:
    shown = [f"{port.number}/{port.protocol} {port.name}".rstrip() for port in ports]
    return f" It declares more: {', '.join(shown)}." if shown else ""


def _free_name(kind: str, namespace: str, workload: Party, model: Model) -> str:
    taken = {
        p.name for p in model.policies if (p.kind, p.namespace) == (kind, namespace)
    }
    base = workload.name if namespace else f"{workload.namespace}-{workload.name}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _free_priority(model: Model) -> int:
    """Two policies of one tier and priority about one pod would be a tie."""
    taken = {policy.priority for policy in model.policies if policy.tier is Tier.ADMIN}
    numbers = (*range(_FIRST_PRIORITY, 1001), *range(_FIRST_PRIORITY))
    return next((n for n in numbers if n not in taken), _FIRST_PRIORITY)

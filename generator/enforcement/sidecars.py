"""What of a workload's traffic a sidecar sees, by Istio's labels and annotations.

Facts are a union over the pods of a workload: what one of them leaves out counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from generator.lint.index import Bits, places
from generator.policy.model import Member, Model

_INJECT: Final = "sidecar.istio.io/inject"
_MODE: Final = "sidecar.istio.io/interceptionMode"
_REWRITE: Final = "sidecar.istio.io/rewriteAppHTTPProbers"
_TRAFFIC: Final = "traffic.sidecar.istio.io/"
_NAMESPACE: Final = "istio-injection"

Ports = tuple[tuple[int, int], ...]
_LAST: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Sidecar:
    """How a workload's traffic is intercepted.

    `missing` says why there is no sidecar, else it is empty. The ports and ranges are
    those that pass by the sidecar; ranges are as the annotation writes them.
    """

    missing: str = ""
    inbound: Ports = ()
    outbound: Ports = ()
    ranges: str = ""
    has_raw_probes: bool = False


class Fleet:
    """The sidecars of all members, by their places; and who has which limits."""

    def __init__(self, model: Model) -> None:
        self.sidecars = [sidecar_of(member, model) for member in model.members]
        self.bare = _where(bool(each.missing) for each in self.sidecars)
        self.inbound = _where(bool(each.inbound) for each in self.sidecars)
        self.outbound = _where(bool(each.outbound) for each in self.sidecars)
        self.ranges = _where(bool(each.ranges) for each in self.sidecars)
        facts = [member.facts for member in model.members]
        self.starting = _where(bool(each.init_containers) for each in facts)
        self.probed = _where(bool(each.probes) for each in facts)

    def missing(self, bits: Bits) -> str:
        """Say why the first of some members has no sidecar."""
        return self.sidecars[next(places(bits))].missing


def _where(answers: Iterable[bool]) -> Bits:
    return sum(1 << place for place, answer in enumerate(answers) if answer)


def sidecar_of(member: Member, model: Model) -> Sidecar:
    """Read the settings of a workload. A WorkloadEntry has what its owner installs."""
    settings = member.facts.settings
    values = {key: [v for k, v in settings if k == key] for key, _ in settings}
    return Sidecar(
        _missing(member, model, values),
        _ports(values, "excludeInboundPorts", "includeInboundPorts"),
        _ports(values, "excludeOutboundPorts", "includeOutboundPorts"),
        _ranges(values),
        "false" in values.get(_REWRITE, ()),
    )


def _missing(member: Member, model: Model, values: dict[str, list[str]]) -> str:
    if "false" in values.get(_INJECT, ()):
        return f'{_INJECT} is "false"'
    if "NONE" in values.get(_MODE, ()):
        return f"{_MODE} is NONE"
    labels = model.namespaces[member.namespace].labels
    is_off = labels.get(_NAMESPACE) == "disabled"
    if is_off and _INJECT not in values and member.kind != "WorkloadEntry":
        return f"namespace {member.namespace} has {_NAMESPACE}=disabled"
    return ""


def _ports(values: dict[str, list[str]], exclude: str, include: str) -> Ports:
    """Return the ports that pass by.

    An include list means that all others pass by; "*" is all, an empty one none.
    """
    found: list[tuple[int, int]] = []
    for text in values.get(_TRAFFIC + exclude, ()):
        found += [(0, _LAST)] if text.strip() == "*" else _numbers(text)
    for text in values.get(_TRAFFIC + include, ()):
        # includeOutboundPorts adds ports to the ranges: only inbound lists are closed.
        is_closed = "Inbound" in include
        if is_closed and text.strip() != "*":
            found += _others(_numbers(text))
    return tuple(sorted(set(found)))


def _numbers(text: str) -> list[tuple[int, int]]:
    items = (item.strip() for item in text.split(","))
    return [(int(item),) * 2 for item in items if item.isdecimal()]


def _others(ports: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found, start = [], 0
    for first, last in sorted(ports):
        if start < first:
            found.append((start, first - 1))
        start = max(start, last + 1)
    return [*found, (start, _LAST)] if start <= _LAST else found


def _ranges(values: dict[str, list[str]]) -> str:
    excluded = values.get(_TRAFFIC + "excludeOutboundIPRanges", [])
    included = values.get(_TRAFFIC + "includeOutboundIPRanges", [])
    texts = [f"to {text}" for text in excluded if text.strip()]
    texts += [f"to others than {text or 'none'}" for text in included if text != "*"]
    return "; ".join(texts)


def covers(ports: Ports, first: int, last: int) -> bool:
    """Tell whether a range lies in ports that pass by."""
    return any(low <= first and last <= high for low, high in ports)


def touches(ports: Ports, first: int, last: int) -> bool:
    return any(low <= last and first <= high for low, high in ports)


def ports_text(ports: Ports) -> str:
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ports)

"""Read the ports of cluster-wide policies: `protocols` of v1alpha2, `ports` before.

Part of `cluster_policy`. An entry says exactly one thing. Nothing means "any port":
an entry without a port is invalid in both versions, and readers that took it for all
ports were wrong (kube-network-policies#303).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from generator.policy.dialects import CLUSTER, Dialect
from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_port_name, read_port_number, read_protocol
from generator.policy.lists import read_list
from generator.policy.model import PortMatch, Protocol

_BY_PROTOCOL: Final = {protocol.value.lower(): protocol for protocol in Protocol}
_NAMED: Final = "destinationNamedPort"
_DESTINATION: Final = "destinationPort"


def read_ports(
    value: Value, dialect: Dialect, findings: Findings
) -> tuple[PortMatch, ...]:
    """Read all entries of a list that is there."""
    read = _read_protocol_entry if dialect is CLUSTER else _read_port_entry
    found: list[PortMatch] = []
    with findings.collect():
        for item in read_list(value, 1, dialect.most):
            with findings.collect():
                found.append(read(item, findings))
    return tuple(found)


def _read_protocol_entry(value: Value, findings: Findings) -> PortMatch:
    """Read `{tcp: {destinationPort: ...}}` or `{destinationNamedPort: name}`."""
    name, entry = _only_one(value, {*_BY_PROTOCOL, _NAMED}, findings)
    if name == _NAMED:
        # A named port has no protocol: "any matching one counts".
        return PortMatch(None, name=read_port_name(entry), span=entry.span)
    entry.refuse_unknown({_DESTINATION}, findings)
    port = entry.get(_DESTINATION)
    if port is None:
        message = f"{name} without {_DESTINATION}"
        raise entry.error("POL0038", message)
    form, found = _only_one(port, {"number", "range"}, findings)
    if form == "number":
        number = read_port_number(found)
        return PortMatch(_BY_PROTOCOL[name], first=number, last=number, span=found.span)
    found.refuse_unknown({"start", "end"}, findings)
    return _read_range(found, _BY_PROTOCOL[name])


def _read_port_entry(value: Value, findings: Findings) -> PortMatch:
    """Read `{portNumber: ...}`, `{portRange: ...}` or `{namedPort: name}`."""
    forms = {"portNumber", "portRange", "namedPort"}
    form, entry = _only_one(value, forms, findings)
    if form == "namedPort":
        return PortMatch(None, name=read_port_name(entry), span=entry.span)
    if form == "portNumber":
        entry.refuse_unknown({"protocol", "port"}, findings)
        port = entry.require("port")
        number = read_port_number(port)
        protocol = read_protocol(entry.get("protocol"))
        return PortMatch(protocol, first=number, last=number, span=port.span)
    entry.refuse_unknown({"protocol", "start", "end"}, findings)
    return _read_range(entry, read_protocol(entry.get("protocol")))


def _read_range(value: Value, protocol: Protocol) -> PortMatch:
    """Read a range: "the start value must be less than the end value"."""
    start = value.require("start")
    end = value.require("end")
    first, last = read_port_number(start), read_port_number(end)
    if first >= last:
        raise end.error("POL0039", f"end {last} is not above start {first}")
    return PortMatch(protocol, first=first, last=last, span=start.span)


def _only_one(
    value: Value, forms: Collection[str], findings: Findings
) -> tuple[str, Value]:
    """Return the one form that is given, and its value."""
    value.refuse_unknown(forms, findings)
    given = [(name, value.get(name)) for name in sorted(forms)]
    found = [(name, entry) for name, entry in given if entry is not None]
    if len(found) != 1:
        words = " and ".join(name for name, _ in found)
        message = f"{words} in one entry" if found else "the entry is empty"
        hint = f"an entry has one of {', '.join(sorted(forms))}"
        raise value.error("POL0038", message, hint)
    return found[0]

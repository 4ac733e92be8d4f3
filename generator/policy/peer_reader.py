"""Read the peers and ports of NetworkPolicy rules.

Part of `network_policy`. Quotations are the API's own sentences. Nothing is repaired:
a block that says less or more than was meant is an error, not a guess.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_port_name, read_port_number, read_protocol
from generator.policy.model import (
    BlockPeer,
    Direction,
    IPNetwork,
    Peer,
    PodPeer,
    PolicyRule,
    PortMatch,
)
from generator.policy.selector_reader import read_selector
from generator.source import Span

_PEER: Final = frozenset({"podSelector", "namespaceSelector", "ipBlock"})
_BLOCK: Final = frozenset({"cidr", "except"})
_PORT: Final = frozenset({"protocol", "port", "endPort"})
_CIDR: Final = re.compile(r"[0-9a-fA-F:.]+/(0|[1-9][0-9]*)")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def read_peer(value: Value, findings: Findings) -> Peer:
    """Read one entry of `from` or `to`."""
    value.refuse_unknown(_PEER, findings)
    pods = value.get("podSelector")
    namespaces = value.get("namespaceSelector")
    block = value.get("ipBlock")
    if block is not None:
        # "If this field is set then neither of the other fields can be."
        if pods is not None or namespaces is not None:
            message = "a peer with ipBlock cannot have selectors too"
            raise value.error("POL0011", message)
        return _read_block(block, value.first_line, findings)
    if pods is None and namespaces is None:
        raise value.error("POL0011", "the peer is empty")
    # "If namespaceSelector is also set, then the NetworkPolicyPeer as a whole selects
    # the pods matching podSelector in the Namespaces selected by NamespaceSelector.
    # Otherwise it selects the pods matching podSelector in the policy's own namespace."
    return PodPeer(
        None if pods is None else read_selector(pods, findings),
        None if namespaces is None else read_selector(namespaces, findings),
        value.first_line,
    )


def _read_block(value: Value, span: Span, findings: Findings) -> BlockPeer:
    value.refuse_unknown(_BLOCK, findings)
    cidr = read_cidr(value.require("cidr"))
    excepts = []
    for item in value.items_of("except"):
        with findings.collect():
            excepts.append(_read_except(item, cidr))
    return BlockPeer(cidr, tuple(excepts), span)


def _read_except(value: Value, cidr: IPNetwork) -> IPNetwork:
    """Read an exception.

    "Except values will be rejected if they are outside the cidr range"; the API
    server wants a strict subset: a block without any address is a mistake.
    """
    network = read_cidr(value)
    is_inside = (
        isinstance(network, IPv4Network)
        and isinstance(cidr, IPv4Network)
        and network.subnet_of(cidr)
    ) or (
        isinstance(network, IPv6Network)
        and isinstance(cidr, IPv6Network)
        and network.subnet_of(cidr)
    )
    if not is_inside or network == cidr:
        raise value.error("POL0010", f"{network} is not a part of {cidr}")
    return network


def read_cidr(value: Value) -> IPNetwork:
    """Read `address/bits`. Bits after the prefix are dropped, as the API server does.

    Refused although some parsers take them: an address without a prefix, a netmask,
    leading zeros (octal to some, decimal to others), IPv4 in IPv6 clothes.
    """
    text = value.text()
    if not _CIDR.fullmatch(text):
        raise value.error("POL0009", f'"{text}" is not a CIDR')
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise value.error("POL0009", f'"{text}" is not a CIDR') from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        message = f'"{text}" is an IPv4 block written as IPv6'
        raise value.error("POL0009", message, "write it as an IPv4 CIDR")
    return network


def read_port(value: Value, findings: Findings) -> PortMatch:
    """Read one entry of `ports`."""
    value.refuse_unknown(_PORT, findings)
    protocol = read_protocol(value.get("protocol"))
    port = value.get("port")
    end = value.get("endPort")
    if port is None:
        # "If this field is not provided, this matches all port names and numbers."
        if end is not None:
            raise end.error("POL0007", "endPort without port")
        return PortMatch(protocol, span=value.first_line)
    # "This can either be a numerical or named port on a pod."
    if not port.is_number:
        name = read_port_name(port)
        if end is not None:
            raise end.error("POL0007", "endPort together with a named port")
        return PortMatch(protocol, name=name, span=port.span)
    first = read_port_number(port)
    last = first if end is None else read_port_number(end)
    # "The endPort must be equal or greater than port."
    if end is not None and last < first:
        raise end.error("POL0007", f"endPort {last} is below port {first}")
    return PortMatch(protocol, first=first, last=last, span=port.span)


def warn_of_named_ports(rule: PolicyRule, field: str, findings: Findings) -> None:
    """Warn of a name that no address outside the cluster can resolve.

    A port name is "a named port on a pod", on the destination. For egress to a block
    of addresses there is none. The API server accepts it, and so do we: it matches
    nothing.
    """
    if rule.direction is Direction.INGRESS:
        return
    blocks = [peer for peer in rule.peers or () if isinstance(peer, BlockPeer)]
    for port in rule.ports or ():
        if port.name and blocks:
            message = f'port "{port.name}" matches nothing at the addresses of {field}'
            findings.add("POL0020", message, port.span)

"""Random inventories: namespaces, members with their addresses, Services.

Part of `strategies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from generator.policy.model import (
    NAME_LABEL,
    ContainerPort,
    Member,
    Namespace,
    Protocol,
    Service,
    ServicePort,
)
from tests.support.overlay_strategies import (
    ACCOUNTS,
    EDGE_LABEL,
    GROUP_LABEL,
    USER_LABEL,
    USERS,
)
from tests.support.policy_strategies import (
    NAMESPACES,
    PORT_NAMES,
    PORTS,
    labels,
    protocols,
)

NAMES: Final = ("one", "two", "three", "four")
CONTROLLERS: Final = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
)
MEMBER_IPV4: Final = tuple(ip_address(f"10.0.0.{n}") for n in range(1, 10))
MEMBER_IPV6: Final = tuple(ip_address(f"2001:db8::{n}") for n in range(1, 6))
_EDGE_NAMESPACES: Final = ({EDGE_LABEL: "true"}, {EDGE_LABEL: "false"})


def container_ports() -> SearchStrategy[ContainerPort]:
    return st.builds(
        ContainerPort,
        st.sampled_from(("", *PORT_NAMES)),
        st.sampled_from(PORTS),
        protocols(),
    )


@st.composite
def members(draw: DrawFn, namespace: str, name: str) -> Member:
    """A member without addresses; those are handed out to all members at once."""
    kind = draw(st.sampled_from((*CONTROLLERS, "Pod", "Pod", "WorkloadEntry")))
    ports = draw(st.lists(container_ports(), max_size=3, unique=True))
    is_entry = kind == "WorkloadEntry"
    if is_entry:
        by_name = {port.name: port for port in ports if port.name}
        ports = [port._replace(protocol=Protocol.TCP) for port in by_name.values()]
    edge_labels = draw(_edge_labels()) if is_entry else {}
    return Member(
        kind,
        namespace,
        name,
        {**draw(labels()), **edge_labels},
        draw(st.sampled_from(ACCOUNTS)),
        tuple(ports),
        host_network=not is_entry and draw(st.integers(0, 7)) == 7,
    )


def _edge_labels() -> SearchStrategy[dict[str, str]]:
    """Labels of an endpoint at the edge: its user, perhaps a group."""
    user = {USER_LABEL: st.sampled_from(USERS)}
    return st.fixed_dictionaries(user, optional={GROUP_LABEL: st.just("")})


@st.composite
def services(draw: DrawFn, namespace: str, name: str) -> Service:
    targets: SearchStrategy[int | str]
    targets = st.sampled_from(PORTS) | st.sampled_from(PORT_NAMES)
    ports = [
        ServicePort(
            draw(st.sampled_from(("", "main"))),
            draw(st.sampled_from(PORTS)),
            draw(targets),
            draw(protocols()),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    selector = draw(labels()) or None
    return Service(namespace, name, selector, tuple(ports))


@st.composite
def namespaces(draw: DrawFn, mentioned: set[str]) -> Mapping[str, Namespace]:
    found = {}
    for name in (*NAMESPACES, *sorted(mentioned - set(NAMESPACES))):
        name_label = {NAME_LABEL: name}
        if draw(st.integers(0, 5)) > 0:
            edge = draw(st.sampled_from(({}, {}, *_EDGE_NAMESPACES)))
            given = {**draw(labels()), **edge, **name_label}
            found[name] = Namespace(name, given, is_declared=True)
        elif name in mentioned:
            found[name] = Namespace(name, name_label, is_declared=False)
    return found


def with_addresses(draw: DrawFn, found: list[Member]) -> list[Member]:
    """Hand out underlay addresses, each once; a controller has a pod for each."""
    free = {4: iter(MEMBER_IPV4), 6: iter(MEMBER_IPV6)}
    done = []
    for member in found:
        wanted = draw(st.sampled_from(((), (), (4,), (4,), (4, 4), (6,), (4, 6))))
        if member.kind == "WorkloadEntry":
            wanted = wanted[:1]
        if member.kind == "Pod" and wanted == (4, 4):
            wanted = (4,)
        addresses = [next(free[family], None) for family in wanted]
        known = tuple(address for address in addresses if address is not None)
        families = {address.version for address in known}
        is_mixed = member.kind != "Pod" and len(families) > 1
        done.append(replace(member, addresses=known, is_mixed=is_mixed))
    return done

"""A model and the connections to try in it, whoever wrote them.

Where in the pipeline: `cases -> Scenario -> placing -> substrate`. Names, ports and
addresses are those of the case; loopback addresses are given out later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from generator.policy.model import Member, Model
from generator.policy.request import HttpRequest


@dataclass(frozen=True, slots=True)
class Probe:
    """A request to a port of a member ("ns/name"), and what must come of it.

    `source` is a member, or an address outside. `service`: the name and port that the
    sender asks for, if it is not the member itself.
    """

    source: str
    destination: str
    port: int
    is_allowed: bool
    service: tuple[str, int] | None = None
    request: HttpRequest | None = None

    @property
    def is_from_outside(self) -> bool:
        return "/" not in self.source

    def __str__(self) -> str:
        text = f"{self.source} -> {self.destination}:{self.port}"
        if self.service is not None:
            text += f" as {self.service[0]}:{self.service[1]}"
        if self.request is not None:
            text += f" {self.request.method} {self.request.path[:60]}"
        return text


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Probes of a case that cannot be made here: how many, and why."""

    source: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One policy state. Members that no probe names get no sidecar."""

    source: str
    name: str
    model: Model
    probes: tuple[Probe, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def members(self) -> dict[str, Member]:
        """Return the members that some probe names, by name."""
        named = {p.destination for p in self.probes}
        named |= {p.source for p in self.probes if not p.is_from_outside}
        found = {name_of(member): member for member in self.model.members}
        return {name: found[name] for name in sorted(named)}

    @property
    def outsiders(self) -> list[str]:
        """Return the addresses outside that some probe comes from."""
        return sorted({p.source for p in self.probes if p.is_from_outside})


def name_of(member: Member) -> str:
    return f"{member.namespace}/{member.name}"


@dataclass(frozen=True, slots=True)
class Pods:
    """A model whose members have names of their own, and those names by owner."""

    model: Model
    names: dict[str, list[str]]


def one_name_each(model: Model) -> Pods:
    """Give members of one name (pods of one owner that differ) names of their own.

    A proxy is told a target and not one of its endpoints, so a target whose endpoints
    differ is denied (`target_ambiguous`); each pod is a target of its own here.
    """
    names: dict[str, list[str]] = {}
    members = []
    for member in model.members:
        pods = names.setdefault(name_of(member), [])
        name = f"{member.name}-{len(pods) + 1}" if pods else member.name
        members.append(replace(member, name=name))
        pods.append(f"{member.namespace}/{name}")
    return Pods(replace(model, members=tuple(members)), dict(sorted(names.items())))


def tally(left_out: Iterable[str], source: str) -> tuple[LeftOut, ...]:
    """Count equal reasons."""
    counts: dict[str, int] = {}
    for reason in left_out:
        counts[reason] = counts.get(reason, 0) + 1
    return tuple(LeftOut(source, count, why) for why, count in counts.items())

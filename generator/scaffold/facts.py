"""Find what a starter speaks of: a workload, who may reach it, who asks for names.

Part of `scaffold`: `model + name -> Facts`. Nobody knows which client is meant, so it
is the first other workload that gets through today, of the same namespace if there is
one. What is not found is None; templates then have a made-up name in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from generator.analysis.errors import QuestionError
from generator.analysis.names import suggest
from generator.analysis.traffic import Traffic
from generator.errors import Diagnostic
from generator.policy.model import ContainerPort, Labels, Member, Model, Protocol

_TELLING: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")
"""Labels that people select by; the first that singles a workload out is taken."""

_CHANGING: Final = frozenset(
    {
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "controller-revision-hash",
        "pod-template-generation",
        "pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""Labels that controllers put on single pods or generations of them."""

_DNS_PORT: Final = 53
_GUESSED_PORT: Final = ContainerPort("", 8080, Protocol.TCP)


@dataclass(frozen=True, slots=True)
class Party:
    """A workload, and labels that select it within its namespace."""

    namespace: str
    name: str
    labels: Labels

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the templates are filled with. `ports`: what else the workload declares."""

    workload: Party
    port: ContainerPort
    ports: tuple[ContainerPort, ...]
    client: Party | None
    stranger: Party | None
    resolver: Party | None
    dns_port: int


def find_facts(
    model: Model, title: str, is_allowed: Callable[[Traffic], bool]
) -> Facts:
    """Look a workload up by namespace/name; `is_allowed` knows the present policies.

    Raises: QuestionError RUN0010 unknown, RUN0025 nothing can select it.
    """
    owners = _owners(model.members)
    if title not in owners:
        hint = suggest(title, owners)
        message = f"no workload is called {title!a}"
        raise QuestionError([Diagnostic("RUN0010", message, hint=hint)])
    parties = {name: _party(members, owners) for name, members in owners.items()}
    workload = _selectable(parties[title], owners[title])
    resolver, dns_port = _find_resolver(owners, parties)
    others = [
        party
        for name, party in parties.items()
        if party.labels and name != title and not owners[name][0].host_network
    ]
    declared = tuple(dict.fromkeys(p for m in owners[title] for p in m.ports))
    port = _main_port(declared)
    more = tuple(other for other in declared if other != port)

    def gets_through(party: Party) -> bool:
        traffic = Traffic(party.title, title, str(port.number), port.protocol)
        return is_allowed(traffic)

    client, stranger = _find_peers(workload, resolver, others, gets_through)
    return Facts(workload, port, more, client, stranger, resolver, dns_port)


def _owners(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Return workloads by name, in the order of their names."""
    owners: dict[str, list[Member]] = {}
    for member in members:
        owners.setdefault(f"{member.namespace}/{member.name}", []).append(member)
    return dict(sorted(owners.items()))


def _selectable(party: Party, members: Iterable[Member]) -> Party:
    if any(member.host_network for member in members):
        message = f"{party.title} is on the host network, where no policy selects it"
        raise QuestionError.of("RUN0025", message)
    if not party.labels:
        message = f"{party.title} has no labels that a policy could select it by"
        raise QuestionError.of("RUN0025", message)
    return party


def _party(members: list[Member], owners: Mapping[str, list[Member]]) -> Party:
    """Take the label that singles a workload out, or all that stay the same."""
    first = members[0]
    common = {
        key: value
        for key, value in first.labels.items()
        if key not in _CHANGING and all(m.labels.get(key) == value for m in members)
    }
    strangers = [
        other
        for group in owners.values()
        if group is not members and group[0].namespace == first.namespace
        for other in group
    ]
    for key in _TELLING:
        value = common.get(key)
        if value and not any(other.labels.get(key) == value for other in strangers):
            return Party(first.namespace, first.name, {key: value})
    return Party(first.namespace, first.name, common)


def _main_port(ports: tuple[ContainerPort, ...]) -> ContainerPort:
    """Take the first TCP port that is not there for monitoring."""
    tcp = [port for port in ports if port.protocol is Protocol.TCP]
    serving = [port for port in tcp if "metrics" not in port.name]
    return next(iter((*serving, *tcp, *ports)), _GUESSED_PORT)


# --- peers ----------------------------------------------------------------------------


def _find_resolver(
    owners: Mapping[str, list[Member]], parties: Mapping[str, Party]
) -> tuple[Party | None, int]:
    """Find who answers for names: `k8s-app: kube-dns`, or a UDP port of DNS."""
    found = [
        (member.labels.get("k8s-app") != "kube-dns", name, port.number)
        for name, members in owners.items()
        for member in members
        for port in member.ports
        if port.protocol is Protocol.UDP and parties[name].labels
        if port.number == _DNS_PORT or port.name == "dns"
    ]
    if not found:
        return None, _DNS_PORT
    _, name, number = min(found)
    return parties[name], number


def _find_peers(
    workload: Party,
    resolver: Party | None,
    others: Iterable[Party],
    gets_through: Callable[[Party], bool],
) -> tuple[Party | None, Party | None]:
    """Return who may reach a workload, and somebody else, whom it does not select."""
    known = sorted(
        (party for party in others if party != resolver),
        key=lambda party: (party.namespace != workload.namespace, party.title),
    )
    if not known:
        return None, None
    client = next(filter(gets_through, known), known[0])
    return client, next(_strangers(client, known), None)


def _strangers(client: Party, parties: Iterable[Party]) -> Iterator[Party]:
    for party in parties:
        is_alike = client.labels.items() <= party.labels.items()
        if party is not client and not (
            is_alike and party.namespace == client.namespace
        ):
            yield party

"""What manifests mean: inventory and policies as frozen data, defaults applied.

Where in the pipeline: `manifests -> model -> workloads -> rules -> rule table`.
Nothing here reads YAML, numbers workloads or knows the table. Sequences keep the
order of the manifests; mappings are label maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from generator.source import Span

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
Labels = Mapping[str, str]

NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server puts this label on every namespace; so does the reader."""


class Word(StrEnum):
    """One of some words. It is hashed as a text: an Enum's own hash is Python code."""

    __hash__ = str.__hash__


class Protocol(Word):
    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class Direction(Word):
    INGRESS = "ingress"
    EGRESS = "egress"


class Operator(Word):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Tier(IntEnum):
    """Tiers in order of evaluation; NetworkPolicy is in the normal one."""

    ADMIN = 0
    NORMAL = 1
    BASELINE = 2


class Action(Word):
    """What a rule does. PASS leaves the tier; the normal tier only accepts."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"


# --- inventory -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace; `is_declared` is false if only other objects mention it."""

    name: str
    labels: Labels
    is_declared: bool
    span: Span | None = None


class ContainerPort(NamedTuple):
    """A declared container port; `name` is empty if the manifest gives none."""

    name: str
    number: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What decides whether a sidecar sees the traffic of a member's endpoints.

    A union over the endpoints: each holds for one of them at least. `settings` are
    Istio's annotations and labels of injection and interception; `init_containers`
    run before the sidecar; `probes` are those that the kubelet sends by network. No
    verdict and no identity looks at any of it.
    """

    settings: tuple[tuple[str, str], ...] = ()
    init_containers: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A set of equal endpoints: one controller's pods, one bare pod, or one VM.

    `kind` and `name` are those of the outermost owner (Deployment, StatefulSet, ...,
    WorkloadEntry), or of the pod if nothing owns it. `addresses` are the underlay
    addresses that the manifests know; Succeeded and Failed pods are left out.
    `is_mixed`: some endpoints are known to have IPv4 addresses, others IPv6 only.
    """

    kind: str
    namespace: str
    name: str
    labels: Labels
    service_account: str
    ports: tuple[ContainerPort, ...] = ()
    addresses: tuple[IPAddress, ...] = ()
    host_network: bool = False
    span: Span | None = None
    facts: PodFacts = field(default=PodFacts(), compare=False)
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A Service port; `target` is a port number or the name of a container port.

    `app_protocol` says what is spoken there, for people and proxies; no verdict does.
    """

    name: str
    number: int
    target: int | str
    protocol: Protocol
    app_protocol: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Service:
    """A Service; `selector` None means that it selects nothing by itself."""

    namespace: str
    name: str
    selector: Labels | None
    ports: tuple[ServicePort, ...]
    span: Span | None = None


# --- selectors -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Requirement:
    """One label requirement; `matchLabels` become `In` with one value."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()


# --- policies -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PodPeer:
    """Pods by labels.

    `namespaces` None: the policy's own namespace. `pods` None: every pod of the
    selected namespaces. Not both None.
    """

    pods: LabelSelector | None
    namespaces: LabelSelector | None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BlockPeer:
    """An ipBlock: the addresses of `cidr` that are in none of `excepts`."""

    cidr: IPNetwork
    excepts: tuple[IPNetwork, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DomainPeer:
    """Egress by name (ClusterNetworkPolicy domainNames); `*.` stands for one label or
    more. Addresses are not known to policy, so no address matches it offline."""

    pattern: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NodePeer:
    """Nodes by label. Which addresses nodes have is not known, so this fails closed:
    Accept matches nothing by it; Deny matches every address that is no member, and so
    does Pass, which then is a Deny."""

    nodes: LabelSelector
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AccountPeer:
    """The workloads of one service account (OverlayPolicy)."""

    namespace: str
    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class OverlayPeer:
    """Members by their overlay address (OverlayPolicy); at most 96 bits of it, since
    what follows is the endpoint's own address."""

    cidr: IPv6Network
    span: Span | None = field(default=None, compare=False)


Peer = PodPeer | BlockPeer | DomainPeer | NodePeer | AccountPeer | OverlayPeer


@dataclass(frozen=True, slots=True)
class PortMatch:
    """Ports of one protocol: all, a name, or `first` to `last` inclusive.

    `protocol` None, with a name only: a container port of that name, of any protocol
    (ClusterNetworkPolicy).
    """

    protocol: Protocol | None
    name: str = ""
    first: int | None = None
    last: int | None = None
    span: Span | None = field(default=None, compare=False)

    @property
    def is_every_port(self) -> bool:
        return not self.name and self.first is None


def protocols_of(port: PortMatch) -> tuple[Protocol, ...]:
    """Return the protocols that a port entry speaks of."""
    return tuple(Protocol) if port.protocol is None else (port.protocol,)


class PathKind(Word):
    """How a path is compared with a pattern, segment by segment.

    PREFIX: whole segments, so that `/a` holds for `/a`, `/a/` and `/a/b` but not `/ab`.
    TEMPLATE: `{*}` is one segment that is not empty; `{**}`, at the end only, is all
    that follows the slash before it.
    """

    EXACT = "exact"
    PREFIX = "prefix"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A pattern of paths, in the normal form that requests are brought to."""

    kind: PathKind
    pattern: str
    span: Span | None = field(default=None, compare=False)


class HeaderKind(Word):
    EXACT = "exact"
    PREFIX = "prefix"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """What a request header must be; `name` in lower case.

    `is_negated` turns the answer round, so that it holds where the header is absent.
    """

    name: str
    kind: HeaderKind
    value: str = ""
    is_negated: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """Requests of which one of each list that is not empty holds, and all headers.

    Hosts are in lower case, without a port; `*.` in front stands for one label or more.
    """

    methods: tuple[str, ...] = ()
    paths: tuple[PathMatch, ...] = ()
    hosts: tuple[str, ...] = ()
    headers: tuple[HeaderMatch, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One entry of an ingress or egress list. `peers`/`ports` None match all.

    `http` None: any flow. Otherwise one entry must hold, and a flow that is not HTTP
    never matches. `via` names PEPs that the traffic must have passed: nothing checks
    that yet, so such a rule, which only accepts, matches nothing.

    `number` counts from 0 within its list, `span` is where the entry starts. An empty
    `peers` matches nothing. A rule of the Admin or Baseline tier that has a peer which
    pepmesh does not know fails closed: Accept matches nothing by that peer; Deny and
    Pass become a Deny of everything (`peers` and `ports` None).
    """

    direction: Direction
    number: int
    peers: tuple[Peer, ...] | None
    ports: tuple[PortMatch, ...] | None
    span: Span
    action: Action = Action.ACCEPT
    name: str = ""
    http: tuple[HttpMatch, ...] | None = None
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of any kind, its defaults applied.

    `kind` as in the manifest. `namespace` is empty for cluster-wide kinds; then
    `subject.namespaces` is not None. `subject` is read like a pod peer. `isolates`
    counts in the normal tier only: a subject is isolated in these directions. Other
    tiers have `priority` (lower first), and rules that are tried in order.
    `is_audited`: the policy is counted and logged, never enforced.
    """

    kind: str
    namespace: str
    name: str
    tier: Tier
    priority: int
    subject: PodPeer
    isolates: frozenset[Direction]
    rules: tuple[PolicyRule, ...]
    span: Span
    is_audited: bool = False


def network_policy(
    namespace: str,
    name: str,
    subject: LabelSelector,
    isolates: frozenset[Direction],
    rules: tuple[PolicyRule, ...],
    span: Span,
) -> Policy:
    """Make a networking.k8s.io/v1 NetworkPolicy."""
    pods = PodPeer(pods=subject, namespaces=None)
    kind = "NetworkPolicy"
    return Policy(kind, namespace, name, Tier.NORMAL, 0, pods, isolates, rules, span)


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that the manifests of one overlay say."""

    namespaces: Mapping[str, Namespace]
    members: tuple[Member, ...]
    services: tuple[Service, ...]
    policies: tuple[Policy, ...]

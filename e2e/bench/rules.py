"""The rules that are compared: who may reach one server, said by N rules.

Every rule is about the server, so none can be set aside by looking at where a request
goes. The one that allows what is sent stands in the middle, which is what a search from
the first rule takes on average.

    rules of flows     rule i: client i modulo 1,000, one TCP port. The port that is
                       asked has as many rules as there are clients, in the middle;
                       the other rules are about other ports, drawn with a fixed seed.
    rules of requests  rule i: the one client, the one port, GET, a prefix of the path
                       that only this rule has.

`model` says them in our policies; `alternatives` in Envoy's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from generator.policy.load import load_sources
from generator.policy.model import AccountPeer, Model, Policy, PolicyRule
from generator.source import SourceFile

NAMESPACE: Final = "bench"
SERVER: Final = "server"
PORT: Final = 8443
HOST: Final = f"{SERVER}.{NAMESPACE}.svc.cluster.local"
AUTHORITY: Final = f"{HOST}:{PORT}"
METHOD: Final = "GET"
PREFIX: Final = "/api/v1/orders"
"""What the request asks for; see `load.request_bytes`."""
MOST_CLIENTS: Final = 1000

_OTHER_PORTS: Final = range(10_000, 60_000)
_SEED: Final = 1
_RULES_PER_POLICY: Final = 25  # what one OverlayPolicy holds


@dataclass(frozen=True, slots=True)
class Rule:
    """One client may reach one port; `prefix`: with GET, and only below that path."""

    client: int
    port: int
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """N rules about one server, and the client whose request is allowed."""

    rules: tuple[Rule, ...]

    @property
    def sender(self) -> int:
        return self.rules[len(self.rules) // 2].client

    @property
    def clients(self) -> int:
        return max(rule.client for rule in self.rules) + 1


def flow_rules(count: int) -> RuleSet:
    """Return rules that tell clients and ports apart."""
    clients = min(count, MOST_CLIENTS)
    middle = count // clients // 2
    ports = random.Random(_SEED)
    return RuleSet(
        tuple(
            Rule(
                number % clients,
                PORT if number // clients == middle else ports.choice(_OTHER_PORTS),
            )
            for number in range(count)
        )
    )


def request_rules(count: int, client: int = 0) -> RuleSet:
    """Return rules about requests of one client, each with a path of its own."""
    return RuleSet(
        tuple(
            Rule(
                client,
                PORT,
                PREFIX if number == count // 2 else f"/api/v1/area-{number}",
            )
            for number in range(count)
        )
    )


def client_name(number: int) -> str:
    return f"client-{number}"


# --- as our policies -----------------------------------------------------------------


def model(rule_set: RuleSet, clients: int) -> Model:
    """Return the server, its clients and the policies.

    One policy with one rule is read from manifests; the others are made from it, since
    reading 100,000 of them would take longer than building.
    """
    read = load_sources([SourceFile("bench.yaml", _manifests(clients))]).model
    (pattern,) = read.policies
    policies: list[Policy] = []
    remaining = iter(rule_set.rules)
    while chunk := list(islice(remaining, _RULES_PER_POLICY)):
        made = [_policy_rule(pattern.rules[0], n, rule) for n, rule in enumerate(chunk)]
        name = f"rules-{len(policies)}"
        policies.append(replace(pattern, name=name, rules=tuple(made)))
    return replace(read, policies=tuple(policies))


def _policy_rule(pattern: PolicyRule, number: int, rule: Rule) -> PolicyRule:
    assert pattern.ports is not None and pattern.http is not None
    (port,), (http,) = pattern.ports, pattern.http
    (path,) = http.paths
    only = replace(http, paths=(replace(path, pattern=rule.prefix),))
    return replace(
        pattern,
        number=number,
        peers=(AccountPeer(NAMESPACE, client_name(rule.client)),),
        ports=(replace(port, first=rule.port, last=rule.port),),
        http=(only,) if rule.prefix else None,
    )


def _manifests(clients: int) -> str:
    documents = [_PATTERN, _workload(SERVER, PORT)]
    documents += [_workload(client_name(number), 8080) for number in range(clients)]
    return "---\n".join(documents)


_PATTERN: Final = f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {SERVER}, namespace: {NAMESPACE}}}
spec: {{selector: {{app: {SERVER}}}, ports: [{{port: {PORT}, targetPort: {PORT}}}]}}
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: rules, namespace: {NAMESPACE}}}
spec:
  subject: {{pods: {{podSelector: {{matchLabels: {{app: {SERVER}}}}}}}}}
  ingress:
  - from: [{{serviceAccounts: [{{name: {client_name(0)}}}]}}]
    ports: [{{port: {PORT}}}]
    http: [{{methods: [{METHOD}], paths: [{{prefix: {PREFIX}}}]}}]
"""


def _workload(name: str, port: int) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {NAMESPACE}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      serviceAccountName: {name}
      containers: [{{name: main, image: x, ports: [{{containerPort: {port}}}]}}]
"""

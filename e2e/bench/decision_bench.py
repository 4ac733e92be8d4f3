"""What one answer of the module costs by the number of rules about requests.

`python -m e2e.bench.decision_bench`: two path patterns per rule, all on one port of one
workload. Sizes take turns; medians over rounds, in µs of `Engine.judge` under wasmtime,
which includes the call from Python. So only ratios within a row mean something.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Final

from filters.http import Requests
from generator.analysis.engine import Engine, Party
from generator.build import build_mesh
from generator.policy.load import load_sources
from generator.policy.request import HttpRequest
from generator.source import SourceFile
from tests.support.meshes import pod

SIZES: Final = (10, 1000, 10_000)
ROUNDS: Final = 9
CALLS: Final = 1000
RULES_PER_POLICY: Final = 25
KEY: Final = 80  # TCP 80

Asked = tuple[Engine, Party, Party]


def prepared(rules: int) -> Asked:
    """Build a module with so many rules about requests to one workload."""
    text = pod("web", labels="{app: web}") + pod("cart", labels="{app: cart}")
    for first in range(0, rules, RULES_PER_POLICY):
        last = min(first + RULES_PER_POLICY, rules)
        text += (
            "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
            f"metadata: {{name: p{first}, namespace: shop}}\n"
            "spec:\n  subject: {pods: {podSelector: {matchLabels: {app: cart}}}}\n"
            "  ingress:\n" + "".join(map(_rule, range(first, last))) + "---\n"
        )
    built = build_mesh(load_sources([SourceFile("rules.yaml", text)]).model)
    engine = Engine(built.module)
    numbers = {w.members[0].name: w.id for w in built.overlay.workloads}
    source = engine.member_party(numbers["web"], None)
    return engine, source, engine.member_party(numbers["cart"], None)


def _rule(number: int) -> str:
    paths = f"{{exact: /api/v1/items-{number}/all}}, {{template: '/x{number}/{{*}}/y'}}"
    return f"  - http: [{{methods: [GET], paths: [{paths}]}}]\n"


def measured(asked: Asked, request: HttpRequest | Requests) -> float:
    engine, source, destination = asked
    start = time.process_time()
    for _ in range(CALLS):
        engine.judge(source, destination, KEY, request=request)
    return (time.process_time() - start) / CALLS * 1e6


def questions(rules: int) -> dict[str, HttpRequest | Requests]:
    """What is asked: the last rule's paths, one that nobody has, and others."""
    return {
        "no request": Requests.NOT_HTTP,
        "exact path": HttpRequest("GET", f"/api/v1/items-{rules - 1}/all"),
        "template": HttpRequest("GET", f"/x{rules - 1}/a/y"),
        "no such path": HttpRequest("GET", "/api/v1/none"),
        "ambiguous path": HttpRequest("GET", "/%2f"),
    }


def main() -> None:
    meshes = {rules: prepared(rules) for rules in SIZES}
    header = " | ".join(f"{rules:,} rules" for rules in SIZES)
    sys.stdout.write(f"| question | {header} | last / first |\n")
    sys.stdout.write("| --- |" + " ---: |" * (len(SIZES) + 1) + "\n")
    for name in questions(1):
        found: dict[int, list[float]] = {rules: [] for rules in SIZES}
        for _ in range(ROUNDS):
            for rules, asked in meshes.items():
                found[rules].append(measured(asked, questions(rules)[name]))
        medians = [statistics.median(found[rules]) for rules in SIZES]
        cells = " | ".join(f"{value:.1f} µs" for value in medians)
        ratio = medians[-1] / medians[0]
        sys.stdout.write(f"| {name} | {cells} | {ratio:.2f} |\n")


if __name__ == "__main__":
    main()

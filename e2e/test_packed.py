"""Policy cases through real Envoys: those of others and our own, many in one process.

What must come of a probe is what the case's file says. Every probe goes through both
sidecars, and once more past the sender's, with a genuine proof.
"""

from __future__ import annotations

from collections import Counter

import pytest

from e2e.addresses import Addresses
from e2e.packed.asking import Seen, Way
from e2e.packed.others import others
from e2e.packed.ours import ours
from e2e.packed.report import report
from e2e.packed.run import Outcome, run
from e2e.packed.scenario import Scenario


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [*others(), *ours()]


@pytest.fixture(scope="module")
def outcome(
    scenarios: list[Scenario],
    addresses: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Outcome:
    return run(scenarios, tmp_path_factory.mktemp("packed"), addresses.run)


def test_every_probe_comes_out_as_its_case_says(
    scenarios: list[Scenario], outcome: Outcome
) -> None:
    assert outcome.wrong == [], report(scenarios, outcome)


def test_nothing_is_lost(scenarios: list[Scenario], outcome: Outcome) -> None:
    """As many probes as there were, of every source, of both verdicts, both ways."""
    probes = Counter({s.source: 0 for s in scenarios})
    for scenario in scenarios:
        probes[scenario.source] += len(scenario.probes)
    assert (probes["network-policy-api"], probes["cyclonus"]) == (38, 144)
    assert probes["netpol-analyzer"] >= 950 and probes["ours"] >= 350
    made = outcome.observations
    assert len({o.mark.rpartition("/")[0] for o in made}) == (
        probes.total() - outcome.privileged
    )
    for way in Way:
        for seen in (Seen.ALLOWED, Seen.DENIED):
            assert sum((o.way, o.seen) == (way, seen) for o in made) > 200


def test_udp_and_sctp_rules_isolate_tcp(outcome: Outcome) -> None:
    found = {
        (str(o.probe), o.seen) for o in outcome.observations if o.scenario == "udp-only"
    }
    assert found == {
        ("shop/free -> shop/udp:8080", Seen.DENIED),
        ("shop/free -> shop/udp:8081", Seen.DENIED),
        ("shop/free -> shop/sctp:8080", Seen.DENIED),
        ("shop/sends-udp -> shop/free:8080", Seen.DENIED),
        ("shop/sends-udp -> shop/udp:8080", Seen.DENIED),
    }

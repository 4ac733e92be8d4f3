"""The table of checks, and the one entrance to them.

Where in the pipeline: `Model -> findings`, beside the build; nothing depends on it.
A check is a function from `Ground` to diagnostics. It says nothing that depends on
taste: what it calls dead, empty or cut off is so for the workloads in the manifests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from generator.enforcement.model import Row
from generator.errors import Diagnostic
from generator.lint.blocks import check_excepts, check_pod_addresses
from generator.lint.deciding import check_deciding, check_redundant
from generator.lint.dns import check_dns
from generator.lint.ground import Ground
from generator.lint.http_ports import check_http
from generator.lint.isolation import check_isolation
from generator.lint.ports import check_ports
from generator.lint.selecting import check_peers, check_subjects
from generator.lint.unenforced import check_denials

Check = Callable[[Ground], Iterator[Diagnostic]]

CHECKS: Final[tuple[Check, ...]] = (
    check_subjects,
    check_peers,
    check_excepts,
    check_pod_addresses,
    check_deciding,
    check_redundant,
    check_ports,
    check_http,
    check_dns,
    check_isolation,
)


def lint(ground: Ground, rows: Sequence[Row]) -> tuple[Diagnostic, ...]:
    """Run all checks; none of them says anything if there are no workloads.

    `rows` are the enforcement report of the same model.
    """
    if not ground.model.members:
        return ()
    found = dict.fromkeys(finding for check in CHECKS for finding in check(ground))
    found |= dict.fromkeys(check_denials(rows))
    return tuple(sorted(found, key=lambda finding: finding.sort_key))

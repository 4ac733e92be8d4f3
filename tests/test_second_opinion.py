"""What the other tool prints is read right; the tool itself is run by a make target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.own_cases import FOLDER
from tests.conformance.report import as_table
from tests.conformance.result import Outcome, Result
from tests.conformance.second_opinion import ToolRefuses, ask, compare, random_models

LINES = """\
global: cluster has 2 unique endpoints, 1 namespaces
192.0.2.7 => shop/a[Pod] : All connections
192.0.2.8-192.0.2.9 => shop/a[Pod] : All connections
shop/a[Pod] => shop/b[Deployment] : {protocols:TCP, UDP,dst_ports:80,90-91},\
{protocols:SCTP}
shop/a[Pod] => kube-system/kube-dns-livesim[Pod] : {protocols:UDP,dst_ports:53}
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A program that prints what a test puts beside it."""
    program = tmp_path / "nca"
    program.write_text(
        '#!/bin/sh\ncat "$0.out"\necho "Error: what is wrong" >&2\n'
        'exit $(cat "$0.code")\n'
    )
    program.chmod(0o755)
    (tmp_path / "nca.code").write_text("0")
    return program


def test_lines_are_read(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "nca.out").write_text(LINES)
    found = [tuple(c.values()) for c in ask(str(tool), tmp_path)]
    assert found == [
        ("192.0.2.7-192.0.2.9", "shop/a", "SCTP", [[1, 65535]]),
        ("192.0.2.7-192.0.2.9", "shop/a", "TCP", [[1, 65535]]),
        ("192.0.2.7-192.0.2.9", "shop/a", "UDP", [[1, 65535]]),
        ("shop/a", "shop/b", "SCTP", [[1, 65535]]),
        ("shop/a", "shop/b", "TCP", [[80, 80], [90, 91]]),
        ("shop/a", "shop/b", "UDP", [[80, 80], [90, 91]]),
    ]


def test_what_it_cannot_read_is_no_agreement(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "nca.out").write_text("shop/a[Pod] => shop/b[Pod] : {icmp_type:8}\n")
    with pytest.raises(AssertionError, match="cannot read"):
        ask(str(tool), tmp_path)
    (tmp_path / "nca.code").write_text("7")
    with pytest.raises(ToolRefuses, match="Error: what is wrong"):
        ask(str(tool), tmp_path)


def test_agreement_and_difference(tool: Path, tmp_path: Path) -> None:
    case = FOLDER / "owners-without-policy"
    manifests = tmp_path / "case"
    manifests.mkdir()
    (manifests / "m.yaml").write_text((case / "manifests.yaml").read_text())
    out = tmp_path / "nca.out"
    out.write_text((case / "connlist.txt").read_text().replace("All C", "All c"))
    out.write_text(out.read_text().replace("[External]", ""))
    assert compare(str(tool), "x", "y", manifests).outcome is Outcome.AGREES
    out.write_text("")
    found = compare(str(tool), "x", "y", manifests)
    assert found.outcome is Outcome.FAILED
    assert "6 too many" in found.reason and found.reason in as_table([found])
    (tmp_path / "nca.code").write_text("7")
    found = compare(str(tool), "x", "y", manifests)
    wanted = "the tool refuses: Error: what is wrong"
    assert found == Result("x", "y", Outcome.NOT_APPLICABLE, wanted)


def test_random_models_are_the_same_each_time() -> None:
    first, second = random_models(12), random_models(12)
    assert first == second and len(first) >= 4
    assert all(model.policies and model.members for model in first)

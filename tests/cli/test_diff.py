"""`pepmesh diff`: inputs, forms, exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from generator.overlay.lock import revoke
from generator.overlay.lock_reader import read_lock
from generator.overlay.lock_writer import write_lock
from generator.source import SourceFile
from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import Ran, files_below, run
from tests.support.meshes import deployment, pod, policy

MORE = POLICIES.replace("[{port: http}]", "[{port: http}, {port: 81}]")
OTHER = POLICIES.replace("[{port: http}]", "[{port: 81}]")


@pytest.fixture
def two(shop: Path) -> Path:
    """The shop's manifests, and beside them what else they could be."""
    for name, policies in (("more", MORE), ("other", OTHER)):
        folder = shop / name
        folder.mkdir()
        (folder / "all.yaml").write_text(INVENTORY + policies)
    return shop


def diff(*arguments: str, given: str | None = None) -> Ran:
    return run("diff", *arguments, given=given)


# --- exit codes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "before, after, options, code",
    [
        ("policies", "policies", (), 0),
        ("policies", "more", (), 1),
        ("more", "policies", (), 1),
        ("policies", "more", ("--exit-zero",), 0),
        ("policies", "more", ("--fail-on", "gained"), 1),
        ("policies", "more", ("--fail-on", "lost"), 0),
        ("more", "policies", ("--fail-on", "gained"), 0),
        ("more", "policies", ("--fail-on", "lost"), 1),
        ("policies", "other", ("--fail-on", "lost"), 1),
        ("policies", "other", ("--fail-on", "gained"), 1),
        ("policies", "nowhere", (), 2),
        ("policies", "nowhere", ("--exit-zero",), 2),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "md", "csv", "github"])
def test_exit_codes(
    two: Path, before: str, after: str, options: tuple[str, ...], code: int, form: str
) -> None:
    """The same for every form of output."""
    ran = diff(before, after, "-o", form, *options)
    assert ran.code == code
    assert bool(ran.out) == (code != 2)
    assert ("error[" in ran.err) == (code == 2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "give BEFORE and AFTER, or --git REV"),
        (("policies",), "give BEFORE and AFTER, or --git REV"),
        (("a", "b", "c"), "give BEFORE and AFTER, or --git REV"),
        (("-", "-"), "standard input can be one side only"),
        (("policies", "-f", "policies"), "-f goes with --git"),
        (("policies", "more", "--git", "HEAD"), "give no BEFORE and AFTER"),
        (("--git", "HEAD", "-f", "-"), "standard input is in no git revision"),
    ],
)
def test_wrong_usage(two: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = diff(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


# --- inputs --------------------------------------------------------------------------


def test_files_and_standard_input(two: Path) -> None:
    expected = diff("policies", "more", "-o", "csv").out
    assert "gained,both,shop/web,shop/cart,TCP,81,nothing,all," in expected
    given = diff("policies", "-", "-o", "csv", given=INVENTORY + MORE)
    assert given.code == 1
    assert given.out == expected.replace("more/all.yaml", "<stdin>")
    assert diff("policies", "more/all.yaml", "-o", "csv").out == expected


def test_subfolders_are_read_if_asked(two: Path) -> None:
    (two / "deep").mkdir()
    (two / "more").rename(two / "deep" / "more")
    assert diff("policies", "deep").code == 2
    assert diff("policies", "deep", "-R").code == 1


def test_modules_need_no_manifests(two: Path) -> None:
    for name in ("policies", "more"):
        built = run(
            "build", "-f", name, "--out", f"{name}.wasm", "--lock", f"{name}.yaml"
        )
        assert built.code == 0
    expected = "gained,both,shop/web,shop/cart,TCP,81,nothing,all,"
    before = files_below(two)
    for after in ("more.wasm", "more"):
        ran = diff("policies.wasm", after, "-o", "csv")
        assert (ran.code, ran.err) == (1, "")
        assert ran.out.splitlines()[1].startswith(expected)
    assert diff("policies", "policies.wasm").code == 0
    assert files_below(two) == before


def test_a_module_is_known_by_its_first_bytes(two: Path) -> None:
    (two / "no.wasm").write_bytes(b"\0asm\1\0\0\0")
    ran = diff("policies", "no.wasm")
    assert ran.code == 2
    assert "TBL0003" in ran.err or "RUN000" in ran.err


def test_what_a_module_cannot_know_is_said(two: Path) -> None:
    run("build", "-f", "policies", "--out", "mesh.wasm")
    (two / "policies" / "agent.yaml").write_text(pod("agent", host_network=True))
    ran = diff("mesh.wasm", "policies")
    assert ran.code == 0
    assert "info[RUN0045]: mesh.wasm is a module and does not know" in ran.err
    document = diff("mesh.wasm", "policies", "-o", "json").document
    assert "shop/agent left out" in document["notes"][0]


def test_ranges_of_members_come_from_the_module(two: Path) -> None:
    """Without them the manifests would open what the module closes."""
    cidr = ("--member-cidr", "10.0.0.0/8")
    run("build", "-f", "policies", "--out", "mesh.wasm", *cidr)
    assert diff("mesh.wasm", "policies").code == 0
    assert diff("policies", "mesh.wasm").code == 0


def revoke_web(path: Path) -> None:
    """Revoke the workload of shop/web in a lock file."""
    lock = read_lock(SourceFile(str(path), path.read_text()))
    (row,) = (r for r in lock.workloads if ("app", "web") in r.name.labels)
    path.write_text(write_lock(revoke(lock, row.id)))


def test_revoked_workloads_come_from_the_lock_file(two: Path) -> None:
    run("build", "-f", "policies", "--out", "mesh.wasm", "--lock", "lock.yaml")
    revoke_web(two / "lock.yaml")
    assert diff("policies", "more", "--lock", "lock.yaml").code == 0
    ran = diff("mesh.wasm", "policies", "--lock", "lock.yaml")
    assert ran.code == 1
    assert "denied, since the source is revoked" in ran.out


# --- findings ------------------------------------------------------------------------

TIE = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: %s}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {}}]}]
---
"""


def test_ties_are_errors_where_they_can_be_mended(two: Path) -> None:
    (two / "tied.yaml").write_text(INVENTORY + TIE % "a" + TIE % "b")
    assert "error[POL0041]" in diff("policies", "tied.yaml").err
    ran = diff("policies", "tied.yaml", "--suppress", "POL0041")
    assert ran.code == 1
    assert "warning[POL0041]" in ran.err
    ran = diff("tied.yaml", "policies")
    assert (ran.code, ran.err) == (1, "")


def test_warnings_are_those_of_the_side_after(two: Path) -> None:
    mixed = pod("set-0", owner="set", labels="{role: reader}")
    mixed += pod("set-1", owner="set", labels="{role: writer}")
    reader = "{podSelector: {matchLabels: {role: reader}}}"
    (two / "odd.yaml").write_text(INVENTORY + mixed + policy("odd", reader))
    assert "warning[POL0023]: " in diff("policies", "odd.yaml").err
    assert diff("odd.yaml", "policies").err == ""


def test_errors_of_either_side_are_located(two: Path) -> None:
    (two / "bad.yaml").write_text(POLICIES.replace("podSelector", "podSelectr", 1))
    for sides in (("bad.yaml", "policies"), ("policies", "bad.yaml")):
        ran = diff(*sides)
        assert ran.code == 2
        assert "bad.yaml:4" in ran.err and "^" in ran.err


# --- forms ---------------------------------------------------------------------------


def test_all_forms_say_the_same(two: Path) -> None:
    (two / "more" / "new.yaml").write_text(deployment("new"))
    sides = ("policies", "more")
    document = diff(*sides, "-o", "json").document
    assert document == json.loads(json.dumps(document, sort_keys=True))
    rows = list(csv.DictReader(io.StringIO(diff(*sides, "-o", "csv").out)))
    assert sum(len(c["ports"]) for c in document["changes"]) == len(rows)
    (change,) = (c for c in document["changes"] if c["about"] == "both")
    rule = change["rules"][0]["after"]
    assert rule["place"] == "more/all.yaml:33"
    texts = {form: diff(*sides, "-o", form).out for form in ("text", "md", "github")}
    for text in texts.values():
        assert rule["rule"] in text
        assert "TCP 81" in text
        assert "shop/new" in text
    assert "file=more/all.yaml,line=33" in texts["github"]
    assert texts["md"].startswith("### Access changes: ")

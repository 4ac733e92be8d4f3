"""`pepmesh validate` and `pepmesh codes`: results, formats, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator.codes import CODES
from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import run
from tests.support.meshes import deployment, namespace, policy, service

SHOP = Path(__file__).parents[2] / "e2e" / "shop"
FORMATS = ("table", "json", "sarif", "github")
TYPO = policy("typo", "{podSelector: {matchLabels: {app: crat}}}")
BROKEN = policy("broken", "{podselector: {}}")


def write(shop: Path, text: str) -> None:
    (shop / "policies" / "more.yaml").write_text(text)


def codes_of(*arguments: str) -> list[str]:
    found = run("validate", "-f", "policies", "-o", "json", *arguments).document
    return [finding["code"] for finding in found["findings"]]


# --- results --------------------------------------------------------------------------


def test_clean_manifests_are_a_yes(shop: Path) -> None:
    ran = run("validate", "-f", "policies")
    assert (ran.code, ran.out, ran.err) == (0, "", "no findings\n")


def test_the_example_shop_is_clean() -> None:
    ran = run("validate", "-f", SHOP, "--fail-on", "info", "--strict")
    assert (ran.code, ran.out) == (0, "")


def test_findings_show_their_line_and_hint(shop: Path) -> None:
    write(shop, TYPO)
    ran = run("validate", "-f", "policies")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        'policies/more.yaml:4:36: warning[LNT0001]: NetworkPolicy "shop/typo" selects '
        'no workload: no pod in namespace "shop" has app=crat',
        "  4 | spec: {podSelector: {matchLabels: {app: crat}}}",
        "    |                                    ^^^",
        "  hint: did you mean app=cart?",
    ]
    assert ran.err == "1 warning\n"


def test_errors_of_reading_are_findings_too(shop: Path) -> None:
    write(shop, TYPO + BROKEN)
    ran = run("validate", "-f", "policies", "-o", "json")
    assert ran.code == 1
    assert [f["code"] for f in ran.document["findings"]] == ["POL0001"]
    assert (ran.document["isComplete"], ran.document["enforcement"]) == (False, None)
    assert ran.err == "1 error\nnot linted: correct the errors first\n"


def test_ties_and_the_overlay_are_checked(shop: Path) -> None:
    tie = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: %s}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Deny, to: [{networks: [192.0.2.0/24]}]}]
---
"""
    write(shop, tie % "one" + tie % "two")
    assert codes_of() == ["POL0041", "LNT0010"]
    assert run("validate", "-f", "policies").code == 1
    assert run("validate", "-f", "policies", "--suppress", "POL0041").code == 0


def test_what_a_build_would_say_is_said(shop: Path) -> None:
    write(shop, service("odd", 1, "nothing", app="cart"))
    assert codes_of() == ["OVL0003"]
    job = deployment("cart").replace("kind: Deployment", "kind: StatefulSet")
    write(shop, job)
    ran = run("validate", "-f", "policies", "-o", "json")
    assert ran.code == 1
    assert "OVL0001" in [finding["code"] for finding in ran.document["findings"]]


def test_unknown_kinds_are_errors_if_asked(shop: Path) -> None:
    write(shop, "apiVersion: v1\nkind: Secert\nmetadata: {name: x}\n")
    assert run("validate", "-f", "policies").code == 0
    ran = run("validate", "-f", "policies", "--strict")
    assert ran.code == 1
    assert "more.yaml:2:7: error[INP0013]: Secert of v1 is a kind that" in ran.out


# --- exit codes -----------------------------------------------------------------------


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize(
    "text, fail_on, code",
    [
        (TYPO, "error", 0),
        (TYPO, "warning", 1),
        (TYPO, "info", 1),
        (BROKEN, "error", 1),
        ("a: [", "error", 1),
        (namespace("ops"), "info", 0),
    ],
)
def test_exit_code_is_the_same_for_every_output(
    shop: Path, text: str, fail_on: str, code: int, output: str
) -> None:
    write(shop, text)
    ran = run("validate", "-f", "policies", "--fail-on", fail_on, "-o", output)
    assert ran.code == code, ran.out


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("path", ["missing.yaml", "empty"])
def test_unreadable_input_is_no_answer(shop: Path, path: str, output: str) -> None:
    (shop / "empty").mkdir()
    ran = run("validate", "-f", "policies", "-f", path, "-o", output)
    assert (ran.code, ran.out) == (2, "")
    assert "error[INP00" in ran.err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--fail-on", "never"], "never"),
        (["--suppress", "LNT9999"], '"LNT9999" is no code'),
        (["--suppress", "POL0001"], "POL0001 is an error, which cannot be suppressed"),
        (["--suppress", "LNT0001=shop/typo"], '"shop/typo" is no object'),
        (["--enforcement", "-o", "sarif"], "--enforcement needs -o table or -o json"),
    ],
)
def test_wrong_options_are_no_answer(
    shop: Path, arguments: list[str], message: str
) -> None:
    ran = run("validate", "-f", "policies", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


# --- suppressions ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern, is_suppressed",
    [
        ("LNT0001", True),
        ("LNT*", True),
        ("LNT0003", False),
        ("LNT0001=NetworkPolicy shop/typo", True),
        ("LNT0001=NetworkPolicy shop/*", True),
        ("LNT0001=* */typo", True),
        ("LNT*=NetworkPolicy shop/t?po", True),
        ("LNT0001=NetworkPolicy ops/typo", False),
        ("LNT0001=Deployment shop/typo", False),
        ("LNT0001=NetworkPolicy typo", False),
    ],
)
def test_suppressions(shop: Path, pattern: str, is_suppressed: bool) -> None:
    write(shop, TYPO)
    ran = run("validate", "-f", "policies", "--fail-on", "info", "--suppress", pattern)
    assert ran.code == (0 if is_suppressed else 1)
    assert ran.err == ("1 suppressed\n" if is_suppressed else "1 warning\n")
    assert ("LNT0001" in ran.out) == (not is_suppressed)


def test_wildcards_do_not_reach_errors(shop: Path) -> None:
    write(shop, BROKEN)
    assert run("validate", "-f", "policies", "--suppress", "*").code == 1


# --- formats --------------------------------------------------------------------------


def test_json(shop: Path) -> None:
    write(shop, TYPO)
    document = run("validate", "-f", "policies", "-o", "json").document
    assert (document["apiVersion"], document["kind"]) == (
        "pepmesh.dev/v1",
        "Validation",
    )
    assert document["summary"] == {"error": 0, "warning": 1, "info": 0, "suppressed": 0}
    (finding,) = document["findings"]
    assert finding == {
        "code": "LNT0001",
        "severity": "warning",
        "message": 'NetworkPolicy "shop/typo" selects no workload: no pod in namespace '
        '"shop" has app=crat',
        "hint": "did you mean app=cart?",
        "notes": [],
        "object": {"kind": "NetworkPolicy", "namespace": "shop", "name": "typo"},
        "place": {
            "file": "policies/more.yaml",
            "line": 4,
            "column": 36,
            "endLine": 4,
            "endColumn": 39,
        },
        "suppressedBy": None,
    }
    assert [row["rule"] for row in document["enforcement"]] == [
        "NetworkPolicy/shop/cart-in/ingress/0",
        "NetworkPolicy/shop/cart-in/ingress/default",
        "NetworkPolicy/shop/typo/ingress/default",
    ]
    assert document["enforcement"][0] == {
        "rule": "NetworkPolicy/shop/cart-in/ingress/0",
        "file": "policies/policies.yaml",
        "line": 4,
        "status": "enforced",
        "mode": "enforce",
        "reasons": [],
    }


def test_enforcement_as_a_table(shop: Path) -> None:
    ran = run("validate", "-f", "policies", "--enforcement")
    header, *rows = ran.out.splitlines()
    assert header.split() == ["STATUS", "RULE", "PLACE", "WHY"]
    assert [re.split(r"  +", row) for row in rows] == [
        [
            "enforced",
            "NetworkPolicy/shop/cart-in/ingress/0",
            "policies/policies.yaml:4",
            "-",
        ],
        [
            "approximated",
            "NetworkPolicy/shop/cart-in/ingress/default",
            "policies/policies.yaml:3",
            "of all protocols that it is about, a proxy sees TCP only",
        ],
    ]


def test_github(shop: Path) -> None:
    write(shop, TYPO)
    assert run("validate", "-f", "policies", "-o", "github").out == (
        "::warning file=policies/more.yaml,line=4,col=36,endColumn=38,title=LNT0001::"
        'NetworkPolicy "shop/typo" selects no workload: no pod in namespace "shop" has '
        "app=crat%0Ahint: did you mean app=cart?\n"
    )
    write(shop, BROKEN)
    out = run("validate", "-f", "policies", "-o", "github").out
    assert out.startswith("::error file=policies/more.yaml,line=4,col=8,")


def test_github_escapes_what_a_workflow_would_read(shop: Path) -> None:
    odd = shop / "policies" / "a,b: 100%.yaml"
    odd.write_text(TYPO)
    out = run("validate", "-f", "policies", "-o", "github").out
    assert out.startswith("::warning file=policies/a%2Cb%3A 100%25.yaml,line=4,")


def sarif(*arguments: str) -> Any:
    document = run("validate", "-f", "policies", "-o", "sarif", *arguments).document
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (log,) = document["runs"]
    check_sarif(log)
    return log


def check_sarif(log: Any) -> None:
    """What the SARIF 2.1.0 schema demands of the objects that we write."""
    driver = log["tool"]["driver"]
    assert driver["name"]
    assert log["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        level = rule["defaultConfiguration"]["level"]
        assert level in ("none", "note", "warning", "error")
    for result in log["results"]:
        assert result["message"]["text"]
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        places = result.get("locations", []) + result.get("relatedLocations", [])
        for place in places:
            check_region(place["physicalLocation"])
        for suppression in result.get("suppressions", []):
            assert suppression["kind"] in ("inSource", "external")
            assert suppression["status"] in ("accepted", "underReview", "rejected")


def check_region(place: Any) -> None:
    uri, region = place["artifactLocation"]["uri"], place["region"]
    assert re.fullmatch(r"[A-Za-z0-9._~/:%-]+", uri), "a URI reference has no spaces"
    first = region["startLine"], region["startColumn"]
    last = region["endLine"], region["endColumn"]
    assert (1, 1) <= first <= last


def test_sarif(shop: Path) -> None:
    write(shop, TYPO)
    log = sarif()
    (rule,) = log["tool"]["driver"]["rules"]
    assert rule["id"] == "LNT0001"
    assert "pepmesh codes LNT0001" in rule["help"]["text"]
    (result,) = log["results"]
    assert result["level"] == "warning"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "policies/more.yaml"},
                "region": {
                    "startLine": 4,
                    "startColumn": 36,
                    "endLine": 4,
                    "endColumn": 39,
                },
            },
            "logicalLocations": [
                {"fullyQualifiedName": "NetworkPolicy shop/typo", "kind": "resource"}
            ],
        }
    ]
    assert "suppressions" not in result


def test_sarif_marks_what_is_suppressed(shop: Path) -> None:
    write(shop, TYPO)
    (result,) = sarif("--suppress", "LNT0001")["results"]
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "--suppress LNT0001",
        }
    ]


def test_sarif_counts_code_points_and_quotes_paths(shop: Path) -> None:
    odd = shop / "policies" / "späte regeln.yaml"
    labels = "{matchLabels: {app: crat}}"
    odd.write_text(
        policy("p", f"{{podSelector: {labels}}}").replace("spec:", '"spec": # 😀\n ')
    )
    log = sarif()
    (place,) = log["results"][0]["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "policies/sp%C3%A4te%20regeln.yaml"
    assert log["columnKind"] == "unicodeCodePoints"


def test_sarif_of_other_findings(shop: Path) -> None:
    """Notes become related places; what has no place has no location."""
    rule = "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}"
    subject = "podSelector: {matchLabels: {app: cart}}"
    write(shop, policy("twice", f"{{{subject}, ingress: [{rule}]}}"))
    (shop / "policies" / "notes.txt").write_text("")
    results = {result["ruleId"]: result for result in sarif()["results"]}
    (related,) = results["LNT0013"]["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"].endswith(
        "policies.yaml"
    )
    assert "locations" not in results["INP0009"]


def test_fingerprints_do_not_move_with_lines(shop: Path) -> None:
    write(shop, TYPO)
    before = sarif()["results"][0]["partialFingerprints"]
    write(shop, namespace("ops") + TYPO)
    assert sarif()["results"][0]["partialFingerprints"] == before


def test_output_file(shop: Path) -> None:
    write(shop, TYPO)
    ran = run("validate", "-f", "policies", "-o", "sarif", "--output-file", "x.sarif")
    assert (ran.code, ran.out) == (0, "")
    assert json.loads((shop / "x.sarif").read_text())["version"] == "2.1.0"


def test_standard_input(shop: Path) -> None:
    ran = run("validate", "-f", "-", given=INVENTORY + POLICIES + TYPO)
    assert ran.code == 0
    assert ran.out.startswith("<stdin>:")


def test_colour_if_asked(shop: Path) -> None:
    write(shop, TYPO)
    ran = run("validate", "-f", "policies", "--color", "always")
    assert "\x1b[33m" in ran.out
    assert "\x1b" not in run("validate", "-f", "policies", "-o", "json").out


# --- codes ----------------------------------------------------------------------------


def test_all_codes_are_listed() -> None:
    lines = run("codes").out.splitlines()
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(CODES)


def test_one_code_is_explained() -> None:
    ran = run("codes", "lnt0022")
    assert ran.code == 0
    assert ran.out.startswith("LNT0022 (warning): a rule speaks of a Service's port")
    assert "    kind: NetworkPolicy" in ran.out


def test_codes_as_json_and_markdown() -> None:
    document = run("codes", "LNT", "-o", "json").document
    assert {code["code"][:3] for code in document["codes"]} == {"LNT"}
    assert all(code["why"] and code["example"] for code in document["codes"])
    page = run("codes", "-o", "md").out
    assert [f"### {code}" in page for code in CODES] == [True] * len(CODES)


def test_unknown_code_is_no_answer() -> None:
    ran = run("codes", "LNX0022")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean LNT0022?" in ran.err

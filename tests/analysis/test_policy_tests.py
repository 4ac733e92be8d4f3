"""Cases beside policies: reading them, running them, rule coverage, and reports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent
from xml.etree import ElementTree

import pytest

from generator.analysis.cases.coverage import Coverage, CoveredRule, measure_coverage
from generator.analysis.cases.junit import junit_text
from generator.analysis.cases.lines import github_text, tap_text
from generator.analysis.cases.reader import (
    Suite,
    find_test_files,
    read_suites,
)
from generator.analysis.cases.report import Listing, report_document, report_text
from generator.analysis.cases.run import (
    SuiteResult,
    is_named_by,
    run_suites,
    select_cases,
)
from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explainer
from generator.analysis.names import Names
from generator.policy.load import load_model
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.source import SourceFile
from tests.support.loading import load_text, pointed_at
from tests.support.meshes import (
    BuiltMesh,
    build_model,
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    service,
    with_revoked,
)

E2E = Path(__file__).parents[2] / "e2e"

SHOP = (
    namespace()
    + deployment("web")
    + deployment("ads")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + service("cart", 80, "http", app="cart")
    + policy(
        "cart-in",
        "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: http}]}]}",
    )
    + policy(
        "web-out",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
        "[{to: [{podSelector: {matchLabels: {app: cart}}}]}]}",
    )
)
IN, OUT = "NetworkPolicy/shop/cart-in/ingress", "NetworkPolicy/shop/web-out/egress"

WEB_READS = """\
- name: web reads the cart
  from: shop/web
  to: shop/cart
  port: 8080
  expect: allow
"""


def file_of(cases: str, name: str = "cart_test.yaml") -> SourceFile:
    """A file with one PolicyTest."""
    head = "apiVersion: pepmesh.dev/v1\nkind: PolicyTest\nmetadata: {name: cart}\n"
    return SourceFile(name, f"{head}cases:\n{cases}")


def case(expect: str, flow: str = "shop/web shop/cart 8080", **more: str) -> str:
    source, destination, port = flow.split()
    name = more.pop("name", "it")
    fields = {"from": source, "to": destination, "port": port, "expect": expect}
    lines = [f"  {key}: {value}" for key, value in {**fields, **more}.items()]
    return "\n".join([f"- name: {name}", *lines, ""])


def run(cases: str, mesh: BuiltMesh | None = None) -> SuiteResult:
    (result,) = run_all(read_suites([file_of(cases)]), mesh or mesh_of(SHOP))
    return result


def run_all(suites: tuple[Suite, ...], mesh: BuiltMesh) -> tuple[SuiteResult, ...]:
    overlay, table = mesh.built.overlay, mesh.engine.table
    names = Names(table, mesh.model, overlay)
    explainer = Explainer(mesh.engine, mesh.model, overlay)
    return run_suites(suites, explainer, names, table)


def problems(cases: str, mesh: BuiltMesh | None = None) -> tuple[str, ...]:
    (result,) = run(cases, mesh).cases
    return result.problems


def coverage_of(cases: str, mesh: BuiltMesh | None = None) -> dict[str, int]:
    mesh = mesh or mesh_of(SHOP)
    found = measure_coverage([run(cases, mesh)], mesh.engine.table)
    return {rule.name: rule.cases for rule in found.rules}


# --- reading --------------------------------------------------------------------------


def test_all_fields_of_a_case() -> None:
    text = """\
- name: everything
  from: shop/web
  to: shop/cart
  port: http
  protocol: TCP
  http: {method: POST, path: /a?b, host: cart.shop, headers: {X-Team: [a, b]}}
  expect: deny
  rule: NetworkPolicy/shop/cart-in/ingress/0
  reason: ingress_denied
"""
    ((found,),) = [suite.cases for suite in read_suites([file_of(text)])]
    headers = (("x-team", "a"), ("x-team", "b"))
    assert found.traffic.request == HttpRequest("POST", "/a?b", "cart.shop", headers)
    assert (found.traffic.source, found.traffic.port) == ("shop/web", "http")
    assert found.traffic.protocol is Protocol.TCP
    assert (found.name, found.is_allowed) == ("everything", False)
    assert (found.rule, found.reason) == (f"{IN}/0", "ingress_denied")
    assert str(found.places.port) == "cart_test.yaml:8:9"


def test_files_and_documents() -> None:
    """A PolicyTest counts wherever it stands; cases of one file are one suite."""
    mixed = SourceFile("mixed.yaml", SHOP + file_of(WEB_READS).text)
    twice = SourceFile(
        "a_test.yaml",
        f"{file_of(WEB_READS).text}---\n{file_of(case('deny')).text}",
    )
    plain = SourceFile("shop.yaml", SHOP)
    foreign = "apiVersion: example.com/v1\nkind: PolicyTest\ncases: 5\n"
    suites = read_suites([plain, mixed, twice, SourceFile("b.yaml", foreign)])
    assert [(suite.file, len(suite.cases)) for suite in suites] == [
        ("mixed.yaml", 1),
        ("a_test.yaml", 2),
    ]


# what is wrong, its code, a part of the message, and the text that is pointed at
@pytest.mark.parametrize(
    "wrong, code, message, place",
    [
        (case("maybe"), "RUN0022", '"maybe" is not allow or deny', "maybe"),
        (case("true"), "INP0005", "expected text, found the boolean true", "true"),
        (
            case("deny", reason="ingres_denied"),
            "RUN0022",
            'there is no reason "ingres_denied"',
            "ingres_denied",
        ),
        (
            case("allow", reason="ingress_denied"),
            "RUN0022",
            '"ingress_denied" is no reason for what is expected',
            "ingress_denied",
        ),
        (
            case("deny", reason="allowed"),
            "RUN0022",
            '"allowed" is no reason',
            "allowed",
        ),
        (case("deny", rule="5"), "INP0005", "found the number 5", "5"),
        (case("deny", prot="UDP"), "POL0001", 'unknown field "prot"', "prot"),
        (case("deny", protocol="ICMP"), "POL0004", 'protocol "ICMP"', "ICMP"),
        (case("deny", http="{pat: /}"), "POL0001", 'unknown field "pat"', "pat"),
        ("- from: a\n", "INP0008", "cases[0].name is missing", "from"),
        ("- name: a\n", "INP0008", "cases[0].from is missing", "name"),
        ("- name: a\n", "INP0008", "cases[0].to is missing", "name"),
        ("- name: a\n", "INP0008", "cases[0].port is missing", "name"),
        ("- name: a\n", "INP0008", "cases[0].expect is missing", "name"),
        ("- 5\n", "INP0005", "expected a mapping, found the number '5'", "5"),
        ("  a: b\n", "INP0005", "expected a list, found a mapping", "a"),
        ("  []\n", "RUN0020", "this PolicyTest has no cases", "cart"),
        (
            WEB_READS + WEB_READS,
            "RUN0021",
            'two cases of this file are called "web reads the cart"',
            "web reads the cart",
        ),
    ],
)
def test_wrong_cases_are_refused(
    wrong: str, code: str, message: str, place: str
) -> None:
    source = file_of(wrong)
    with pytest.raises(QuestionError) as caught:
        read_suites([source])
    found = [d for d in caught.value.diagnostics if message in d.message]
    assert [d.code for d in found] == [code]
    assert found[0].span is not None
    assert pointed_at(source.text, found[0].span).startswith(place)


def test_a_misspelt_field_gets_a_suggestion() -> None:
    with pytest.raises(QuestionError) as caught:
        read_suites([file_of(case("deny", reasons="x") + case("deny", rul="x"))])
    hints = [d.hint for d in caught.value.diagnostics]
    assert 'did you mean "reason"?' in hints
    assert 'did you mean "rule"?' in hints


def test_all_faults_of_all_files_are_reported() -> None:
    first = file_of(case("maybe") + case("deny", porto="1", name="b"), "a_test.yaml")
    empty = SourceFile("b_test.yaml", SHOP)
    with pytest.raises(QuestionError) as caught:
        read_suites([first, empty])
    found = [(d.code, str(d.span)) for d in caught.value.diagnostics]
    assert found == [
        ("RUN0022", "a_test.yaml:9:11"),
        ("POL0001", "a_test.yaml:15:3"),
        ("RUN0020", "b_test.yaml:1:1"),
    ]


def test_a_named_file_must_have_cases() -> None:
    plain = SourceFile("cases.yaml", SHOP)
    assert read_suites([plain]) == ()
    with pytest.raises(QuestionError, match="RUN0020"):
        read_suites([plain], frozenset({"cases.yaml"}))


def test_names_of_test_files(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    for file in (tmp_path / "b_test.yml", tmp_path / "a.yaml", deep / "c_test.json"):
        file.touch()
    assert find_test_files(tmp_path, recursive=False) == [tmp_path / "b_test.yml"]
    assert len(find_test_files(tmp_path, recursive=True)) == 2
    assert find_test_files(tmp_path / "a.yaml", recursive=False) == [
        tmp_path / "a.yaml"
    ]
    (tmp_path / "b_test.yml").unlink()
    with pytest.raises(QuestionError, match="RUN0020"):
        find_test_files(tmp_path, recursive=False)


@pytest.mark.parametrize("kind", ["PolicyTest", "Traffic"])
def test_tests_are_no_manifests(kind: str) -> None:
    """They may stand beside policies: nothing is said about them."""
    found = load_text(f"apiVersion: pepmesh.dev/v1\nkind: {kind}\nwhatever: [1]\n")
    assert found.diagnostics == ()


def test_selecting_cases() -> None:
    suites = read_suites([file_of(WEB_READS + case("deny", name="another"))])
    (chosen,) = select_cases(suites, re.compile("^an"))
    assert [found.name for found in chosen.cases] == ["another"]
    assert select_cases(suites, None) == suites
    with pytest.raises(QuestionError, match=r'RUN0023.*"nobody" is found'):
        select_cases(suites, re.compile("nobody"))
    with pytest.raises(QuestionError, match=r"RUN0023: there is no test case$"):
        select_cases((), None)


# --- running --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        case("allow"),
        case("allow", "shop/web shop/cart http"),
        case("allow", "shop/web cart.shop.svc.cluster.local 80"),
        case("allow", rule=f"{IN}/0"),
        case("allow", rule=f"{OUT}/0"),
        case("allow", rule=IN),
        case("allow", reason="allowed"),
        case("deny", "shop/web shop/cart 81", rule=f"{IN}/default"),
        case("deny", "shop/web shop/cart 81", rule=IN, reason="ingress_denied"),
        case("deny", "shop/web shop/ads 80", reason="egress_denied", rule=OUT),
        case("deny", protocol="UDP"),
    ],
)
def test_cases_that_pass(text: str) -> None:
    assert problems(text) == ()


@pytest.mark.parametrize(
    "text, expected",
    [
        (case("deny"), ["expected DENY, but it is ALLOW"]),
        (
            case("allow", "shop/web shop/cart 81"),
            ["expected ALLOW, but it is DENY (ingress_denied)"],
        ),
        (
            case("deny", "shop/web shop/ads 80", reason="ingress_denied"),
            ["expected the reason ingress_denied, but it is egress_denied"],
        ),
        (
            case("deny", "shop/web shop/cart 81", rule=f"{IN}/0"),
            [f"expected {IN}/0 to decide, but it was {IN}/default (test.yaml:49)"],
        ),
        (
            case("allow", rule="NetworkPolicy/shop/cart-i/ingress/0"),
            [
                "expected NetworkPolicy/shop/cart-i/ingress/0 to decide, but there is "
                f"no such rule (did you mean {IN}/0?)"
            ],
        ),
        # a prefix is not enough: cart-in is another policy than cart
        (
            case("allow", rule="NetworkPolicy/shop/cart"),
            [
                "expected NetworkPolicy/shop/cart to decide, but there is no such rule "
                f"(did you mean {IN}/0?)"
            ],
        ),
        (
            case("allow", rule="cart"),
            ["expected cart to decide, but there is no such rule"],
        ),
        (
            case("allow", "shop/ads shop/web 80", rule=IN),
            [f"expected {IN} to decide, but no rule did"],
        ),
    ],
)
def test_cases_that_fail(text: str, expected: list[str]) -> None:
    found = [re.sub(r"yaml:\d+", "yaml:49", problem) for problem in problems(text)]
    assert found == expected


MIXED = SHOP + (
    pod("set-0", owner="set", labels="{app: web, role: reader}")
    + pod("set-1", owner="set", labels="{app: ads, role: writer}")
)


@pytest.mark.parametrize("expect", ["allow", "deny"])
def test_mixed_is_neither(expect: str) -> None:
    (found,) = problems(case(expect, "shop/set shop/cart 8080"), mesh_of(MIXED))
    assert found.startswith(
        f"expected {expect.upper()}, but it is MIXED, as its endpoints differ: shop/set"
    )
    assert "8080 is ALLOW" in found and "8080 is DENY (ingress_denied); " in found


def test_a_rule_must_decide_every_flow() -> None:
    mesh = mesh_of(MIXED)
    rule = f"{IN}/0"
    found = problems(case("allow", "shop/set shop/cart 8080", rule=rule), mesh)
    assert len(found) == 2
    assert f"expected {rule} to decide" in found[1]
    assert f"{IN}/default" in found[1]


def test_what_precedes_policy_is_decided_by_no_rule() -> None:
    """Policy would deny the address as well, but nobody gets as far as that."""
    revoked = with_revoked(mesh_of(SHOP), "shop/web")
    text = case("deny", reason="source_revoked")
    assert problems(text, revoked) == ()
    assert not any(coverage_of(text, revoked).values())
    members_only = mesh_of(SHOP, "10.1.0.0/16")
    text = case("deny", "10.1.1.1 shop/cart 8080", reason="source_missing")
    assert problems(text, members_only) == ()
    assert not any(coverage_of(text, members_only).values())


def test_questions_without_an_answer_are_all_reported() -> None:
    text = (
        case("allow", "shop/wep shop/card 8080", name="a")
        + case("allow", "shop/web shop/cart https", name="b")
        + case("allow", "cart.shop.svc.cluster.local shop/web 80", name="c")
        + case("allow", "shop/web shop/cart 99999", name="d")
        + case("allow", name="e", http='{method: "G T"}')
        + case("allow", name="f", http="{path: /}", protocol="UDP")
    )
    source = file_of(text)
    with pytest.raises(QuestionError) as caught:
        run(text)
    found = [
        (d.code, pointed_at(source.text, d.span), d.hint)
        for d in caught.value.diagnostics
        if d.span is not None
    ]
    assert [(code, place) for code, place, _ in found] == [
        ("RUN0010", "shop/wep"),
        ("RUN0010", "shop/card"),
        ("RUN0011", "https"),
        ("RUN0010", "cart.shop.svc.cluster.local"),
        ("RUN0011", "99999"),
        ("RUN0018", "method"),
        ("RUN0016", "path"),
    ]
    assert found[0][2].startswith("did you mean shop/web")
    assert found[1][2].startswith("did you mean shop/cart")


@pytest.mark.parametrize(
    "rule, wanted, is_meant",
    [
        ("A/b/c/ingress/0", "A/b/c/ingress/0", True),
        ("A/b/c/ingress/0", "A/b/c/ingress", True),
        ("A/b/c/ingress/default", "A/b/c/ingress", True),
        ("A/b/c/ingress/0", "A/b/c/egress", False),
        ("A/b/c/ingress/10", "A/b/c/ingress/1", False),
        ("A/b/c/ingress/0", "A/b/c", False),
        ("A/b/c/ingress/0", "", False),
    ],
)
def test_how_rules_are_named(rule: str, wanted: str, is_meant: bool) -> None:
    assert is_named_by(rule, wanted) is is_meant


# --- rule coverage --------------------------------------------------------------------


def test_an_allowed_case_touches_the_rules_of_both_sides() -> None:
    assert coverage_of(case("allow")) == {
        f"{IN}/0": 1,
        f"{IN}/default": 0,
        f"{OUT}/0": 1,
        f"{OUT}/default": 0,
    }


def test_a_denied_case_touches_the_rule_that_denied() -> None:
    text = case("deny", "shop/web shop/cart 81", name="a") + case(
        "deny", "shop/web shop/ads 80", name="b"
    )
    assert coverage_of(text) == {
        f"{IN}/0": 0,
        f"{IN}/default": 1,
        f"{OUT}/0": 0,
        f"{OUT}/default": 1,
    }


def test_a_failing_case_touches_rules_too() -> None:
    assert coverage_of(case("deny"))[f"{IN}/0"] == 1


def test_a_default_counts_only_if_a_denial_can_name_it() -> None:
    deny_all = policy("deny-all", "{podSelector: {}, policyTypes: [Ingress]}")
    rules = coverage_of(case("allow"), mesh_of(SHOP + deny_all))
    assert f"{IN}/default" not in rules
    assert "NetworkPolicy/shop/deny-all/ingress/default" in rules


def test_rules_of_an_audited_policy_are_touched_if_they_would_decide() -> None:
    audited = policy("ads-in", "{podSelector: {matchLabels: {app: ads}}}").replace(
        "name: ads-in,", "name: ads-in, annotations: {pepmesh.dev/mode: audit},"
    )
    rule = "NetworkPolicy/shop/ads-in/ingress/default"
    mesh = mesh_of(SHOP + audited)
    assert coverage_of(case("allow", "shop/cart shop/ads 80"), mesh)[rule] == 1
    assert coverage_of(case("allow"), mesh)[rule] == 0


PASSING = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - action: Pass
    from: [{namespaces: {}}]
    protocols: [{tcp: {destinationPort: {number: 8080}}}]
---
"""


def test_a_rule_that_passes_is_touched_if_it_led_on() -> None:
    rule = "ClusterNetworkPolicy/guard/ingress/0"
    mesh = mesh_of(SHOP + PASSING)
    assert coverage_of(case("allow"), mesh)[rule] == 1
    assert coverage_of(case("deny", "shop/ads shop/cart 8080"), mesh)[rule] == 1
    assert coverage_of(case("allow", "shop/cart shop/ads 8080"), mesh)[rule] == 1
    assert coverage_of(case("deny", "shop/ads shop/cart 81"), mesh)[rule] == 0
    # egress decides, so it is not known what ingress would have been
    assert coverage_of(case("deny", "shop/web shop/ads 8080"), mesh)[rule] == 0


def test_percentages_are_never_too_high() -> None:
    rules = tuple(CoveredRule(str(n), "a", 1, min(n, 1)) for n in range(3))
    coverage = Coverage(rules)
    assert (coverage.touched, coverage.percent) == (2, 66.6)
    assert coverage.is_at_least(66.6)
    assert not coverage.is_at_least(66.7)
    assert [rule.name for rule in coverage.untouched] == ["0"]
    assert Coverage(()).percent == 100
    assert Coverage(()).is_at_least(100)
    many = Coverage((*[CoveredRule("", "", 1, 1)] * 9999, CoveredRule("", "", 1, 0)))
    assert many.percent == 99.9
    assert not many.is_at_least(100)


@pytest.mark.parametrize("folder, files, rules", [("shop", 3, 29), ("shop-http", 1, 4)])
def test_the_example_shop_covers_every_rule(
    folder: str, files: int, rules: int
) -> None:
    loaded = load_model([str(E2E / folder)])
    mesh = build_model(loaded.model)
    suites = read_suites(loaded.sources.values())
    assert len(suites) == files
    results = run_all(suites, mesh)
    assert [result for suite in results for result in suite.failed] == []
    coverage = measure_coverage(results, mesh.engine.table)
    assert len(coverage.rules) >= rules
    assert coverage.untouched == ()


# --- reports --------------------------------------------------------------------------

BOTH = case("deny", name="'it fails # SKIP'") + WEB_READS


def reports(cases: str = BOTH) -> tuple[list[SuiteResult], Coverage]:
    result = run(cases)
    return [result], measure_coverage([result], mesh_of(SHOP).engine.table)


def test_text_names_what_failed_and_where() -> None:
    lines = report_text(*reports(), Listing.UNTOUCHED).splitlines()
    assert lines[0] == "FAIL  it fails # SKIP"
    assert lines[1] == "      cart_test.yaml:5: shop/web -> shop/cart TCP 8080"
    assert lines[2] == "      expected DENY, but it is ALLOW"
    assert re.fullmatch(rf" {{6}}by {OUT}/0 \(test.yaml:\d+\)", lines[3])
    assert re.fullmatch(rf" {{6}}by {IN}/0 \(test.yaml:\d+\)", lines[4])
    assert "2 cases in 1 file: 1 pass, 1 fails" in lines
    assert "rules: 2 of 4 decide a case (50 %); no case touches" in lines
    assert re.fullmatch(rf" {{6}}{OUT}/default \(test.yaml:\d+\)", lines[-1])


def test_text_has_the_near_misses_of_a_denial() -> None:
    text = report_text(
        *reports(case("allow", "shop/web shop/cart 81")), Listing.UNTOUCHED
    )
    assert "      nearly: NetworkPolicy shop/cart-in ingress[0]: port 81 is not" in text


def test_text_can_list_all_rules() -> None:
    lines = report_text(*reports(), Listing.ALL).splitlines()
    assert [line.split()[:2] for line in lines[-4:]] == [
        ["2", f"{IN}/0"],
        ["0", f"{IN}/default"],
        ["2", f"{OUT}/0"],
        ["0", f"{OUT}/default"],
    ]


def test_text_of_a_selection_lists_no_rules() -> None:
    lines = report_text(*reports(), Listing.NONE).splitlines()
    assert lines[-1] == "rules: 2 of 4 decide a case (50 %)"


def test_a_long_list_of_rules_is_cut() -> None:
    rules = tuple(CoveredRule(f"r{n}", "a", n, 0) for n in range(12))
    lines = report_text(reports()[0], Coverage(rules), Listing.UNTOUCHED).splitlines()
    assert lines[-2] == "      r9 (a:9)"
    assert lines[-1] == "      and 2 more: --coverage shows all"


def test_names_cannot_paint_the_terminal() -> None:
    text = report_text(*reports(case("deny", name=r'"\e[31m\n"')), Listing.UNTOUCHED)
    assert text.startswith("FAIL  \\x1b[31m\\n\n")


def test_json_has_all_of_it() -> None:
    document = json.loads(json.dumps(report_document(*reports(), "sha256:00")))
    assert document["kind"] == "PolicyTestReport"
    assert document["summary"] == {"files": 1, "cases": 2, "passed": 1, "failed": 1}
    failed, passed = document["cases"]
    assert (failed["passed"], passed["passed"]) == (False, True)
    assert (failed["file"], failed["line"]) == ("cart_test.yaml", 5)
    assert failed["problems"] == ["expected DENY, but it is ALLOW"]
    assert failed["expected"] == {"verdict": "DENY", "rule": None, "reason": None}
    assert failed["explanation"]["verdict"] == "ALLOW"
    assert document["coverage"]["percent"] == 50
    per_rule = {rule["name"]: rule["cases"] for rule in document["coverage"]["perRule"]}
    assert per_rule == {
        f"{IN}/0": 2,
        f"{IN}/default": 0,
        f"{OUT}/0": 2,
        f"{OUT}/default": 0,
    }


# What Jenkins' junit-10.xsd allows, as far as it is used here.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"testcase"}),
    "testcase": ({"name", "classname"}, {"failure"}),
    "failure": ({"message", "type"}, set[str]()),
}


def test_junit_has_the_right_form() -> None:
    text = junit_text(reports()[0])
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    root = ElementTree.fromstring(text)
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    assert root.attrib["failures"] == root[0].attrib["failures"] == "1"
    assert root[0].attrib["name"] == "cart_test.yaml"
    failed, passed = root[0]
    assert failed[0].attrib["message"] == "expected DENY, but it is ALLOW"
    assert "cart_test.yaml:5: shop/web -> shop/cart" in (failed[0].text or "")
    assert list(passed) == []


def test_junit_is_xml_whatever_a_name_holds() -> None:
    names = r'"a\x01\e\uFFFE<&\"]]>\té"'
    root = ElementTree.fromstring(junit_text(reports(case("deny", name=names))[0]))
    assert root[0][0].attrib["name"] == 'a\\x01\\x1b\\ufffe<&"]]>\té'


def test_tap_counts_and_escapes() -> None:
    lines = tap_text(*reports()).splitlines()
    assert lines[:3] == ["TAP version 14", "1..2", r"not ok 1 - it fails \# SKIP"]
    block = lines[lines.index("  ---") : lines.index("  ...") + 1]
    assert "    expected DENY, but it is ALLOW" in block
    assert lines[-3] == "ok 2 - web reads the cart"
    assert lines[-2] == "# 2 cases in 1 file: 1 pass, 1 fails"


def test_github_marks_the_case() -> None:
    results = reports(case("deny", name="'100 %: a, b'") + WEB_READS)
    lines = github_text(*results, Listing.UNTOUCHED).splitlines()
    head = "::error file=cart_test.yaml,line=5,title=100 %25%3A a%2C b::"
    assert lines[0].startswith(
        f"{head}cart_test.yaml:5: shop/web -> shop/cart TCP 8080"
    )
    assert "%0Aexpected DENY, but it is ALLOW%0A" in lines[0]
    assert len(lines) == 3
    noted = github_text(*results, Listing.ALL).splitlines()
    rules = [line for line in noted if line.startswith("::notice file=test.yaml,line=")]
    assert len(rules) == 2
    assert f"title={IN}/default::no case touches it" in rules[0]


def test_http_cases_reach_the_explainer() -> None:
    """A request is shown with the flow, as it was asked."""
    text = case("deny") + indent("http: {method: PUT, path: /a}\n", "  ")
    lines = report_text(*reports(text), Listing.UNTOUCHED).splitlines()
    assert lines[1] == "      cart_test.yaml:5: shop/web -> shop/cart TCP 8080 PUT /a"

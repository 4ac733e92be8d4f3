"""`pepmesh test`: exit codes, where cases are found, forms of the report."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import POLICIES
from tests.support.cli import Ran, files_below, run

HEAD = "apiVersion: pepmesh.dev/v1\nkind: PolicyTest\nmetadata: {name: cart}\ncases:\n"
PASSES = """\
- name: the web reads the cart
  from: shop/web
  to: shop/cart
  port: http
  expect: allow
"""
FAILS = """\
- name: nobody reads the cart
  from: shop/web
  to: shop/cart
  port: 8080
  expect: deny
"""
BUILD = ("build", "-f", "policies", "--out", "mesh.wasm")
FORMATS = ["text", "json", "junit", "tap", "github"]


def write(shop: Path, cases: str, name: str = "policies/cart_test.yaml") -> None:
    path = shop / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD + cases)


def run_test(*more: str) -> Ran:
    return run("test", "-f", "policies", *more)


# --- exit codes: the same for every form of output ------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "cases, more, code",
    [
        (PASSES, (), 0),
        (FAILS, (), 1),
        (PASSES + FAILS, (), 1),
        (PASSES + FAILS, ("--run", "web"), 0),
        (PASSES + FAILS, ("--run", "^nobody"), 1),
        (PASSES, ("--min-coverage", "50"), 0),
        (PASSES, ("--min-coverage", "50.1"), 1),
        (PASSES, ("--run", "nothing"), 2),
        (PASSES, ("--run", "("), 2),
        (PASSES.replace("shop/web", "shop/wep"), (), 2),
        (PASSES.replace("allow", "perhaps"), (), 2),
        (PASSES + PASSES, (), 2),
        ("", (), 2),
    ],
)
def test_exit_codes(
    shop: Path, form: str, cases: str, more: tuple[str, ...], code: int
) -> None:
    write(shop, cases)
    ran = run_test("-o", form, *more)
    assert ran.code == code, ran.err
    assert bool(ran.out) == (code != 2)
    is_uncovered = code == 1 and "--min-coverage" in more
    assert bool(ran.err) == (code == 2 or is_uncovered)
    assert "internal error" not in ran.err


def test_no_cases_at_all(shop: Path) -> None:
    ran = run_test()
    assert (ran.code, ran.out) == (2, "")
    assert "error[RUN0023]: there is no test case\n  hint: write cases" in ran.err


def test_too_few_covered_rules_are_said_on_stderr(shop: Path) -> None:
    write(shop, PASSES)
    ran = run_test("--min-coverage", "75.5", "-o", "junit")
    assert ran.code == 1
    assert "error[RUN0024]: 50 % of the rules decide a case, not 75.5 %" in ran.err
    assert ElementTree.fromstring(ran.out).attrib["failures"] == "0"


# --- where cases are found ------------------------------------------------------------


def test_cases_stand_beside_policies(shop: Path) -> None:
    write(shop, PASSES)
    ran = run_test()
    assert (ran.code, ran.err) == (0, "")
    assert "1 case in 1 file: all pass" in ran.out
    assert run("simulate", "-f", "policies").err == ""


def test_cases_of_subfolders(shop: Path) -> None:
    write(shop, FAILS, "policies/more/cart_test.yaml")
    write(shop, PASSES)
    assert run_test().code == 0
    ran = run_test("-R")
    assert ran.code == 1
    assert "policies/more/cart_test.yaml:5: shop/web -> shop/cart TCP 8080" in ran.out


def test_cases_from_elsewhere(shop: Path) -> None:
    """A file of any name; of a folder what is called *_test.yaml."""
    write(shop, PASSES, "tests/a_test.yaml")
    write(shop, FAILS, "tests/cases.yaml")
    assert "1 case in 1 file" in run_test("--tests", "tests").out
    ran = run_test("--tests", "tests", "--tests", "tests/cases.yaml")
    assert "2 cases in 2 files: 1 pass, 1 fails" in ran.out
    ran = run_test("--tests", str(shop / "tests"), "--tests", "tests/a_test.yaml")
    assert "1 case in 1 file" in ran.out


@pytest.mark.parametrize(
    "path, code", [("no", "INP0001"), ("empty", "RUN0020"), ("plain.yaml", "RUN0020")]
)
def test_places_without_cases_are_refused(shop: Path, path: str, code: str) -> None:
    write(shop, PASSES)
    (shop / "empty").mkdir()
    (shop / "plain.yaml").write_text(POLICIES.replace("cart-in", "another"))
    ran = run_test("--tests", path)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]: " in ran.err


def test_cases_come_by_standard_input_too(shop: Path) -> None:
    ran = run("test", "-f", "policies", "-f", "-", given=HEAD + FAILS)
    assert ran.code == 1
    assert "<stdin>:5: shop/web -> shop/cart" in ran.out


def test_all_faults_are_reported_with_their_lines(shop: Path) -> None:
    write(shop, PASSES.replace("shop/web", "shop/wep") + FAILS.replace("8080", "https"))
    ran = run_test()
    assert ran.code == 2
    assert "policies/cart_test.yaml:6:9: error[RUN0010]: no workload" in ran.err
    assert "  6 |   from: shop/wep\n    |         ^^^^^^^^\n" in ran.err
    assert "policies/cart_test.yaml:13:9: error[RUN0011]: " in ran.err


def test_a_test_of_another_version_is_refused(shop: Path) -> None:
    write(shop, PASSES)
    path = shop / "policies" / "cart_test.yaml"
    path.write_text(path.read_text().replace("dev/v1", "dev/v2"))
    ran = run_test()
    assert ran.code == 2
    assert "error[POL0025]: PolicyTest of pepmesh.dev/v2 is not" in ran.err


# --- what is asked, and what is said --------------------------------------------------


def test_a_built_module_is_asked(shop: Path) -> None:
    assert run(*BUILD).code == 0
    write(shop, PASSES)
    policies = shop / "policies" / "policies.yaml"
    policies.write_text(POLICIES.replace("port: http", "port: 8443"))
    assert run_test().code == 1
    module = ("--module", "mesh.wasm", "--lock", "overlay.lock.yaml")
    assert run_test(*module).code == 0


def test_two_runs_print_equal_bytes_and_write_nothing(shop: Path) -> None:
    write(shop, PASSES + FAILS)
    before = files_below(shop)
    for form in FORMATS:
        assert run_test("-o", form).out == run_test("-o", form).out
    assert files_below(shop) == before


def test_all_rules_are_listed_on_request(shop: Path) -> None:
    write(shop, PASSES)
    assert "    1 NetworkPolicy/shop/cart-in/ingress/0" not in run_test().out
    assert "    1 NetworkPolicy/shop/cart-in/ingress/0" in run_test("--coverage").out


def test_a_selection_says_nothing_about_other_rules(shop: Path) -> None:
    write(shop, PASSES + FAILS)
    assert "no case touches" in run_test().out
    assert "no case touches" not in run_test("--run", "web").out
    assert "ingress/default" in run_test("--run", "web", "--coverage").out


def test_failures_are_red(shop: Path) -> None:
    write(shop, FAILS)
    assert run_test("--color", "always").out.startswith(
        "\x1b[31m\x1b[1mFAIL\x1b[0m  nobody"
    )
    assert "\x1b" not in run_test().out


def test_json_names_the_module(shop: Path) -> None:
    write(shop, PASSES)
    document = run_test("-o", "json").document
    assert document["apiVersion"] == "pepmesh.dev/v1"
    assert document["digest"] == document["cases"][0]["explanation"]["digest"]

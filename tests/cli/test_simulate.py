"""`pepmesh simulate`: its forms, its files, and flows from a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.cli import Ran, files_below, run
from tests.support.dot import read_dot

SIMULATE = ("simulate", "-f", "policies")
FORMS = ("table", "json", "csv", "md", "dot", "html")

API = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: web-api, namespace: shop}
spec:
  policyTypes: [Ingress]
  subject: {pods: {podSelector: {matchLabels: {app: web}}}}
  ingress: [{ports: [{port: 80}], http: [{methods: [GET], paths: [{exact: /a}]}]}]
"""


# --- forms ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_file_has_what_stdout_has(shop: Path, form: str) -> None:
    printed = run(*SIMULATE, "-o", form)
    assert (printed.code, printed.err) == (0, "")
    (shop / "result").write_text("as it was")
    more = ("--output-file", "result", "--color", "always")
    ran = run(*SIMULATE, "-o", form, *more)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (shop / "result").read_text() == printed.out
    assert {path.name for path in shop.iterdir()} == {"policies", "result"}


def test_markdown_and_dot(shop: Path) -> None:
    assert "| shop/web | TCP 8080 | - |" in run(*SIMULATE, "-o", "md").out
    graph = read_dot(run(*SIMULATE, "-o", "dot").out)
    assert graph.edges["shop/web", "shop/cart"]["label"] == "TCP 8080"


def test_the_page_is_complete(shop: Path) -> None:
    out = run(*SIMULATE, "-o", "html").out
    assert out.startswith("<!doctype html>") and out.endswith("</html>\n")
    assert "shop/cart" in out


def test_what_depends_on_requests_is_in_every_form(shop: Path) -> None:
    (shop / "policies" / "api.yaml").write_text(API)
    table = run(*SIMULATE).out.splitlines()
    assert table[0].split()[-1] == "HTTP"
    assert sum(line.endswith("GET /a") for line in table) == 2
    document = run(*SIMULATE, "-o", "json").document
    found = [c for c in document["connections"] if "http" in c]
    assert [c["http"] for c in found] == [["GET /a"]] * 2
    rows = list(csv.DictReader(io.StringIO(run(*SIMULATE, "-o", "csv").out)))
    assert sum(row["http"] == "GET /a" for row in rows) == 2
    assert "some requests on TCP 80: GET /a" in run(*SIMULATE, "-o", "md").out
    assert "GET /a" in run(*SIMULATE, "-o", "dot").out
    assert "GET /a" in run(*SIMULATE, "-o", "html").out


@pytest.mark.parametrize("form", FORMS)
def test_inputs_are_never_overwritten(shop: Path, form: str) -> None:
    (shop / "flows.yaml").write_text(FLOWS)
    before = files_below(shop)
    for name in ("policies/policies.yaml", "flows.yaml"):
        paths = ("-f", "policies/policies.yaml", "-f", "policies/inventory.yaml")
        traffic = ("--traffic", "flows.yaml") if form in FORMS[:4] else ()
        if name == "flows.yaml" and not traffic:
            continue
        ran = run("simulate", *paths, *traffic, "-o", form, "--output-file", name)
        assert (ran.code, ran.out) == (2, "")
        assert "error[RUN0014]" in ran.err
    assert files_below(shop) == before


def test_a_file_that_cannot_be_written(shop: Path) -> None:
    ran = run(*SIMULATE, "--output-file", "no/such/folder")
    assert (ran.code, ran.out) == (2, "")
    assert "error[OVL0024]" in ran.err


# --- flows from a file ---------------------------------------------------------------

FLOWS = """\
apiVersion: pepmesh.dev/v1
kind: Traffic
flows:
- {from: shop/web, to: shop/cart, port: 8081}
- {from: shop/web, to: shop/cart, port: http}
"""
PLACE = "policies/policies.yaml"


def ask(folder: Path, text: str, *more: str, name: str = "flows.yaml") -> Ran:
    (folder / name).write_text(text)
    return run(*SIMULATE, "--traffic", name, *more)


def test_flows_are_answered_in_their_order(shop: Path) -> None:
    ran = ask(shop, FLOWS)
    assert (ran.code, ran.err) == (0, "")
    header, *rows = ran.out.splitlines()
    assert header.split() == [
        *("FROM", "TO", "PORT", "PROTOCOL", "HTTP"),
        *("VERDICT", "REASON", "RULE", "PLACE"),
    ]
    assert [row.split()[4] for row in rows] == ["DENY", "ALLOW"]
    assert rows[1].split()[-2:] == [
        "NetworkPolicy/shop/cart-in/ingress/0",
        f"{PLACE}:4",
    ]


def test_answers_in_every_form(shop: Path) -> None:
    document = ask(shop, FLOWS, "-o", "json").document
    assert document["kind"] == "TrafficAnswers"
    verdicts = [flow["verdict"] for flow in document["flows"]]
    assert verdicts == ["DENY", "ALLOW"]
    rows = list(csv.DictReader(io.StringIO(ask(shop, FLOWS, "-o", "csv").out)))
    assert [row["verdict"] for row in rows] == verdicts
    assert [row["rule"] for row in rows] == [f["rule"] for f in document["flows"]]
    assert [row["place"] for row in rows] == [f["place"] for f in document["flows"]]
    table = ask(shop, FLOWS, "-o", "md").out.splitlines()
    assert table[2].startswith("| shop/web | shop/cart | 8081 | TCP |  | DENY |")
    ask(shop, FLOWS, "-o", "json", "--output-file", "out.json")
    assert json.loads((shop / "out.json").read_text()) == document


def test_flows_in_csv_may_carry_http(shop: Path) -> None:
    (shop / "policies" / "api.yaml").write_text(API)
    text = (
        "from,to,port,method,path\n"
        "shop/cart,shop/web,80,GET,/a\n"
        "shop/cart,shop/web,80,POST,/a\n"
        "shop/cart,shop/web,80,,\n"
    )
    ran = ask(shop, text, "-o", "json", name="flows.csv")
    found = [flow["verdict"] for flow in ran.document["flows"]]
    assert found == ["ALLOW", "DENY", "DENY"]


@pytest.mark.parametrize("form", FORMS[:4])
@pytest.mark.parametrize(
    "lines, expect, code",
    [
        ((4,), "allow", 1),
        ((4,), "deny", 0),
        ((5,), "allow", 0),
        ((5,), "deny", 1),
        ((4, 5), "allow", 1),
        ((4, 5), "deny", 1),
        ((4, 5), None, 0),
    ],
)
def test_exit_codes(
    shop: Path, lines: tuple[int, ...], expect: str | None, code: int, form: str
) -> None:
    """The same for every form of output."""
    texts = FLOWS.splitlines()
    text = "\n".join([*texts[:3], *(texts[line - 1] for line in lines)])
    more = ("--expect", expect) if expect else ()
    assert ask(shop, text, "-o", form, *more).code == code


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--expect", "allow"), "--expect needs --traffic"),
        (("--traffic", "flows.yaml", "-o", "dot"), "--traffic has no form dot"),
        (("--traffic", "flows.yaml", "-o", "html"), "--traffic has no form html"),
        (("-o", "svg"), "svg"),
    ],
)
def test_wrong_usage(shop: Path, arguments: tuple[str, ...], message: str) -> None:
    (shop / "flows.yaml").write_text(FLOWS)
    ran = run(*SIMULATE, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.parametrize(
    "text, name, code, place",
    [
        (FLOWS.replace("shop/web", "shop/wep"), "f.yaml", "RUN0010", "f.yaml:4:4"),
        (FLOWS.replace("8081", "metrics"), "f.yaml", "RUN0011", "f.yaml:4:4"),
        (FLOWS.replace("8081", "[]"), "f.yaml", "INP0005", "f.yaml:4:"),
        (FLOWS.replace("Traffic", "Pod"), "f.yaml", "RUN0030", "f.yaml:1:1"),
        ("from,to\n", "f.csv", "RUN0031", "f.csv:1:1"),
        ("from,to,port\na/a,shop/web,80\n", "f.csv", "RUN0010", "f.csv:2:1"),
    ],
)
def test_bad_flows(shop: Path, text: str, name: str, code: str, place: str) -> None:
    """A located error with its line, also for names that nobody has."""
    ran = ask(shop, text, "--expect", "deny", name=name)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err
    assert f"{place}" in ran.err and "^" in ran.err


def test_a_file_of_flows_that_is_not_there(shop: Path) -> None:
    ran = run(*SIMULATE, "--traffic", "nowhere.yaml")
    assert ran.code == 2 and "error[INP0001]" in ran.err

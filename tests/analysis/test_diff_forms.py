"""`diff` in words, JSON, CSV, markdown and workflow commands: the same facts."""

from __future__ import annotations

import json
import re

import pytest

from generator.analysis.diff.diff import Difference
from generator.analysis.diff.document import (
    CSV_HEADER,
    difference_document,
    difference_rows,
)
from generator.analysis.diff.github import difference_commands
from generator.analysis.diff.groups import EACH_OTHER, parties_title
from generator.analysis.diff.markdown import LIMIT, code, difference_markdown
from generator.analysis.diff.text import difference_text
from tests.support.differences import difference, http_rule, overlay_policy
from tests.support.meshes import deployment, namespace, policy

MANY = tuple(f"w{number}" for number in range(6))
SHOP = namespace() + "".join(map(deployment, MANY)) + deployment("cart")
CART = (
    "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: {}}], "
    "ports: [{port: %s}]}]}"
)
TEXT = """\
Access changes: 6 flows gained, 6 lost.

Gained
  6 workloads of shop -> shop/cart: TCP 81
    allowed by NetworkPolicy/shop/cart-in/ingress/0 (test.yaml:78); before, denied by \
NetworkPolicy/shop/cart-in/ingress/default (test.yaml:77)

Lost
  6 workloads of shop -> shop/cart: TCP 80
    denied by NetworkPolicy/shop/cart-in/ingress/default (test.yaml:77); before, \
allowed by NetworkPolicy/shop/cart-in/ingress/0 (test.yaml:78)\
"""


@pytest.fixture
def moved() -> Difference:
    """Six workloads lose port 80 of the cart and gain 81."""
    before, after = (SHOP + policy("cart-in", CART % port) for port in (80, 81))
    return difference(before, after)


@pytest.fixture
def mixed() -> Difference:
    """All sections at once."""
    before = SHOP + policy("cart-in", CART % 80) + deployment("old")
    audit = policy("audited", "{podSelector: {matchLabels: {app: w0}}}").replace(
        "metadata: {", "metadata: {annotations: {pepmesh.dev/mode: audit}, "
    )
    after = SHOP + policy("in", CART % 80) + deployment("new") + audit
    return difference(before, after)


# --- text ----------------------------------------------------------------------------


def test_text_groups_equal_changes(moved: Difference) -> None:
    assert difference_text(moved) == TEXT


def test_text_without_changes_is_a_line() -> None:
    assert difference_text(difference(SHOP, SHOP)) == "No access changes."


def test_text_has_all_sections_in_order(mixed: Difference) -> None:
    text = difference_text(mixed)
    headings = [line for line in text.splitlines() if line and line[0] != " "]
    assert headings == [
        "Access changes: 16 flows gained, 16 lost.",
        "New workload shop/new",
        "Gone workload shop/old",
        "If audited policies were enforced: lost",
        "Policies",
    ]
    assert "  + NetworkPolicy shop/audited\n  + NetworkPolicy shop/in\n  - " in text


def test_a_workload_that_talks_to_nobody_is_still_new() -> None:
    alone = policy("alone", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
    before = namespace() + deployment("web") + alone
    text = difference_text(difference(before, before + deployment("new")))
    assert text == (
        "No access changes.\n\nNew workload shop/new\n"
        "  reaches nobody, and nobody reaches it"
    )


def test_a_namespace_that_is_cut_off_is_one_line() -> None:
    closed = SHOP + policy(
        "deny", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"
    )
    text = difference_text(difference(SHOP, closed))
    assert f"  7 workloads of shop -> {EACH_OTHER}: all ports\n" in text
    assert text.count(": all ports") == 1


def test_requests_are_spelt() -> None:
    inventory = namespace() + deployment("web") + deployment("cart")
    old, new = (
        inventory + overlay_policy("api", http_rule(http))
        for http in (
            "{methods: [GET]}",
            "{methods: [GET]}, {hosts: [a.b], headers: [{name: x-a, exact: c}]}",
        )
    )
    found = difference(old, new)
    assert "\n    POST / at a.b with x-a: c: allowed by" in difference_text(found)
    (change,) = json.loads(json.dumps(difference_document(found)))["changes"]
    assert change["requests"][0]["http"] == {
        "method": "POST",
        "path": "/",
        "host": "a.b",
        "headers": [["x-a", "c"]],
    }


@pytest.mark.parametrize(
    "names, title",
    [
        (("a/x",), "a/x"),
        (("a/x", "b/y", "a/z"), "a/x, b/y, a/z"),
        (("a/x", "a/y", "a/z", "a/v"), "4 workloads of a"),
        (("a/x", "b/y", "a/z", "b/v"), "4 workloads of a, b"),
        (
            tuple(f"{c}/x" for c in "abcdef"),
            "6 workloads of a, b, c and 3 more namespaces",
        ),
        (("a/x", "1.0.0.0-1.0.0.9"), "a/x and 1.0.0.0-1.0.0.9"),
        (
            tuple(f"{n}.0.0.0-{n}.0.0.9" for n in range(4)),
            "4 ranges of addresses outside",
        ),
    ],
)
def test_titles_of_parties(names: tuple[str, ...], title: str) -> None:
    assert parties_title(names) == title


# --- JSON and CSV --------------------------------------------------------------------


def test_json_has_every_flow(moved: Difference) -> None:
    document = json.loads(json.dumps(difference_document(moved)))
    assert (document["apiVersion"], document["kind"]) == ("pepmesh.dev/v1", "Diff")
    assert document["summary"] == {"gained": 6, "lost": 6, "changed": 0}
    assert len(document["changes"]) == 12
    assert document["changes"][0] == {
        "change": "lost",
        "about": "both",
        "source": "shop/w0",
        "destination": "shop/cart",
        "ports": {"TCP": [[80, 80]]},
        "before": "all",
        "after": "nothing",
        "requests": [],
        "rules": [
            {
                "direction": "ingress",
                "before": {
                    "verdict": "ALLOW",
                    "rule": "NetworkPolicy/shop/cart-in/ingress/0",
                    "place": "test.yaml:78",
                    "reason": None,
                },
                "after": {
                    "verdict": "DENY",
                    "rule": "NetworkPolicy/shop/cart-in/ingress/default",
                    "place": "test.yaml:77",
                    "reason": None,
                },
            }
        ],
    }
    assert document["before"]["name"] == "old"
    assert document["before"]["digest"] != document["after"]["digest"]


def test_json_says_whose_changes_they_are(mixed: Difference) -> None:
    document = json.loads(json.dumps(difference_document(mixed)))
    assert {(c["about"], c["change"]) for c in document["changes"]} == {
        ("new", "gained"),
        ("gone", "lost"),
    }
    assert document["workloads"] == {"new": ["shop/new"], "gone": ["shop/old"]}
    assert document["policies"]["gone"] == ["NetworkPolicy shop/cart-in"]
    assert {c["destination"] for c in document["audited"]} == {"shop/w0"}


def test_csv_has_a_row_for_each_flow_and_protocol(moved: Difference) -> None:
    rows = [dict(zip(CSV_HEADER, row, strict=True)) for row in difference_rows(moved)]
    assert len(rows) == 12
    assert rows[1] == {
        "change": "gained",
        "about": "both",
        "source": "shop/w0",
        "destination": "shop/cart",
        "protocol": "TCP",
        "ports": "81",
        "before": "nothing",
        "after": "all",
        "rule": "NetworkPolicy/shop/cart-in/ingress/0",
        "place": "test.yaml:78",
    }


def test_csv_has_all_sections(mixed: Difference) -> None:
    abouts = {row[1] for row in difference_rows(mixed)}
    assert abouts == {"new", "gone", "audited"}


# --- markdown ------------------------------------------------------------------------


def test_markdown_has_two_tables_and_folds_the_rest(moved: Difference) -> None:
    lines = difference_markdown(moved).splitlines()
    assert lines[0] == "### Access changes: 6 flows gained, 6 lost."
    assert lines[2] == "From `old` to `new`."
    assert [line for line in lines if line.startswith("**")] == [
        "**Gained** (6)",
        "**Lost** (6)",
    ]
    rows = [line for line in lines if line.startswith("| `")]
    assert rows[0].startswith(
        "| `6 workloads of shop` | `shop/cart` | `TCP 81` | allowed"
    )
    assert "`NetworkPolicy/shop/cart-in/ingress/0` (`test.yaml:78`)" in rows[0]
    names = ", ".join(f"`shop/{name}`" for name in MANY)
    assert lines.count(f"- `6 workloads of shop`: {names}") == 1


def test_markdown_folds_are_closed(mixed: Difference) -> None:
    text = difference_markdown(mixed)
    assert text.count("<details>") == text.count("</details>") >= 4
    for title in ("New workload shop/new", "Gone workload shop/old"):
        assert re.search(rf"<summary>{title} \(16\)</summary>", text)


@pytest.mark.parametrize("limit", [1100, 1500, 1900])
def test_markdown_is_cut_by_rows_and_says_so(mixed: Difference, limit: int) -> None:
    whole = difference_markdown(mixed)
    text = difference_markdown(mixed, limit)
    assert len(text.encode()) <= limit < len(whole.encode())
    assert text.count("<details>") == text.count("</details>")
    found = re.search(r"\*\*(\d+) more rows were left out\*\*", text)
    assert found
    rows = re.compile(r"^(?:\| [^S-]|- )", re.MULTILINE)
    assert len(rows.findall(text)) + int(found[1]) == len(rows.findall(whole))


def test_markdown_of_a_large_difference_fits() -> None:
    """As many lines as ports: nothing can be grouped."""
    app = "{podSelector: {matchLabels: {app: cart}}, ingress: [%s]}"
    rules = ", ".join(
        f"{{from: [{{ipBlock: {{cidr: 10.0.{n}.0/24}}}}], ports: [{{port: {n + 1}}}]}}"
        for n in range(250)
    )
    inventory = namespace() + deployment("cart")
    both = (inventory + policy("cart-in", app % text) for text in ("", rules))
    text = difference_markdown(difference(*both))
    assert len(text.encode()) > LIMIT - 1000 or "left out" not in text
    assert len(text.encode()) <= LIMIT
    assert text == difference_markdown(
        difference(
            inventory + policy("cart-in", app % ""),
            inventory + policy("cart-in", app % rules),
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        "`; rm -rf`",
        "a | b\\| c",
        "</code></details><img src=x>",
        "[link](http://x.example) @somebody #1 **bold** _it_",
        "line\nbreak\r\u2028",
        "\u202etxt.exe",
    ],
)
def test_names_can_be_nothing_but_text(text: str) -> None:
    quoted = code(text)
    assert re.fullmatch(r"<code>(?:[A-Za-z0-9]|&#\d+;)*</code>", quoted)
    spelt = re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), quoted)
    assert spelt == f"<code>{text}</code>"


def test_plain_names_are_quoted_plainly() -> None:
    assert code("shop/web-1 (a.yaml:3)") == "`shop/web-1 (a.yaml:3)`"


# --- workflow commands ---------------------------------------------------------------


def test_commands_stand_at_the_rule(moved: Difference) -> None:
    lines = list(difference_commands(moved))
    assert (
        lines[0]
        == "::notice title=pepmesh diff::Access changes: 6 flows gained, 6 lost."
    )
    assert lines[1].startswith(
        "::warning file=test.yaml,line=78,title=Access gained::6 workloads of shop -> "
        "shop/cart: TCP 81%0Aallowed by "
    )
    assert lines[2].startswith("::warning file=test.yaml,line=77,title=Access lost::")


def test_commands_are_one_line_each_and_escaped(mixed: Difference) -> None:
    lines = list(difference_commands(mixed))
    assert all(line.startswith("::") and "\n" not in line for line in lines)
    audited = [line for line in lines if "if audited policies were enforced" in line]
    assert audited
    assert all(line.startswith("::notice ") for line in audited)
    assert "title=Access lost%2C if audited" in audited[0]

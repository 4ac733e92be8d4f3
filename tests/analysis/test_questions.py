"""What a person may write: references, users, headers; and words for odd paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.analysis.errors import QuestionError
from generator.analysis.explain.ambiguity import shown_path, why_ambiguous
from generator.analysis.explain.request_reader import read_request
from generator.analysis.names import Named, NamedOwner, NamedService, Names
from generator.analysis.references import Reference, parse_reference
from generator.analysis.request_text import example_options, requests_text
from generator.policy.model import (
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    PathKind,
    PathMatch,
)
from generator.policy.oracle_http import Holds, holds_in_union, normal_form
from generator.policy.request import HttpRequest
from tests.support.judging import build_case
from tests.support.loading import model_of
from tests.support.meshes import deployment, namespace, pod, service

# --- references -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, namespace_, expected",
    [
        ("deploy/cart", "shop", Reference("Deployment", "shop/cart")),
        ("Deployment/cart", "shop", Reference("Deployment", "shop/cart")),
        ("sts/db", "", Reference("StatefulSet", "default/db")),
        ("svc/cart", "shop", Reference("Service", "shop/cart")),
        ("cart", "shop", Reference("", "shop/cart")),
        ("cart", "", None),
        ("shop/cart", "other", None),
    ],
)
def test_references(text: str, namespace_: str, expected: Reference | None) -> None:
    assert parse_reference(text, namespace_) == expected


MESH = (
    namespace("shop")
    + namespace("pods")
    + namespace("laptops", '{pepmesh.dev/edge: "true"}')
    + deployment("cart")
    + deployment("web")
    + deployment("web", namespace="default")
    + deployment("late", namespace="pods")
    + service("cart", 80, 8080, app="cart")
    + pod("db", "10.0.0.1", owner="db", labels="{app: db}")
    + pod("agent", host_network=True)
    + pod("spy", "10.0.0.2", labels="{pepmesh.dev/user: alice}")
    + pod("dual", "10.0.0.3").replace("[{ip: '10.0.0.3'}]", "[{ip: 'fd99::3'}]")
)
LAPTOPS = "".join(
    f"""\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}, namespace: laptops}}
spec: {{address: {address}, labels: {{{labels}}}}}
---
"""
    for name, address, labels in (
        ("mac", "10.9.0.1", "pepmesh.dev/user: alice, group.pepmesh.dev/eng: ''"),
        ("pad", "10.9.0.2", "pepmesh.dev/user: alice"),
        ("box", "10.9.0.3", "pepmesh.dev/user: bob, group.pepmesh.dev/eng: ''"),
    )
)


def find(text: str, namespace_: str = "") -> Named:
    case = build_case(model_of(MESH + LAPTOPS))
    return Names(case.table, case.model, case.overlay, namespace_).find(text)


@pytest.mark.parametrize(
    "text, namespace_, title",
    [
        ("deploy/cart", "shop", "shop/cart"),
        ("deploy/web", "", "default/web"),
        ("sts/db", "shop", "shop/db"),
        ("po/agent", "shop", "shop/agent"),
        ("web", "shop", "shop/web"),
        ("svc/cart", "shop", "Service shop/cart"),
        # A name that is there as it stands is meant, whatever the namespace is called.
        ("pods/late", "shop", "pods/late"),
        ("shop/web", "default", "shop/web"),
        ("10.0.0.1", "shop", "shop/db (10.0.0.1)"),
    ],
)
def test_names(text: str, namespace_: str, title: str) -> None:
    found = find(text, namespace_)
    assert found.title == title
    assert not isinstance(found, NamedOwner) or found.endpoints
    assert isinstance(found, NamedService) == text.startswith("svc/")


@pytest.mark.parametrize(
    "text, namespace_, code, message, hint",
    [
        ("sts/cart", "shop", "RUN0019", "shop/cart is a Deployment, not a State", ""),
        ("svc/web", "shop", "RUN0010", "no Service 'shop/web'", ""),
        ("deploy/cart", "", "RUN0010", "'default/cart'", "did you mean shop/cart"),
        ("pod/cart-7d9f-x", "shop", "RUN0010", "no Pod", "judged as one"),
        ("nothing", "shop", "RUN0010", "workload or Service 'shop/nothing'", ""),
        ("user:eve", "", "RUN0017", "is of user 'eve'", "pepmesh.dev/user=eve"),
        ("group:ops", "", "RUN0017", "of group 'ops'", "group.pepmesh.dev/ops"),
    ],
)
def test_names_that_nobody_has(
    text: str, namespace_: str, code: str, message: str, hint: str
) -> None:
    with pytest.raises(QuestionError) as caught:
        find(text, namespace_)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert message in diagnostic.message
    assert hint in diagnostic.hint


@pytest.mark.parametrize(
    "text, names",
    [
        # The pod "spy" says so too, but its namespace is none of edges.
        ("user:alice", {"mac", "pad"}),
        ("group:eng", {"mac", "box"}),
    ],
)
def test_users_and_groups(text: str, names: set[str]) -> None:
    found = find(text)
    assert isinstance(found, NamedOwner)
    assert {member.name for member in found.members} == names
    assert found.endpoints
    assert found.title == text.replace(":", " ")


def test_a_second_address_is_not_taken_for_an_instance() -> None:
    """Where instances are IPv4 addresses, an IPv6 address would be a wrong one."""
    found = find("fd99::3")
    assert isinstance(found, NamedOwner)
    assert found.title == "shop/dual (fd99::3)"
    assert [end.address for end in found.endpoints] == [None]


# --- requests as options --------------------------------------------------------------


@pytest.mark.parametrize(
    "text, header",
    [
        ("X-Team:blue", ("x-team", "blue")),
        ("x-team: blue", ("x-team", "blue")),
        ("x-team=blue", ("x-team", "blue")),
        ("x-team=a:b", ("x-team", "a:b")),
        ("x-team:a=b", ("x-team", "a=b")),
        ("x-team:", ("x-team", "")),
    ],
)
def test_headers(text: str, header: tuple[str, str]) -> None:
    assert read_request(None, None, None, [text]).headers == (header,)


@pytest.mark.parametrize("text", ["x-team", "", ":path:/x", "=x"])
def test_no_headers(text: str) -> None:
    with pytest.raises(QuestionError, match="is not a header"):
        read_request(None, None, None, [text])


def test_what_is_not_said_of_a_request() -> None:
    assert read_request(None, None, None, ()) == HttpRequest("GET", "/", "", ())
    assert read_request("PUT", "", "h", ()) == HttpRequest("PUT", "", "h", ())


ENTRIES = [
    HttpMatch(methods=("GET", "HEAD"), paths=(PathMatch(PathKind.EXACT, "/a b"),)),
    HttpMatch(paths=(PathMatch(PathKind.TEMPLATE, "/a/{*}/{**}"),), hosts=("*.b.c",)),
    HttpMatch(headers=(HeaderMatch("x-a", HeaderKind.PREFIX, "bl"),)),
    HttpMatch(headers=(HeaderMatch("x-a", HeaderKind.PRESENT),)),
    HttpMatch(headers=(HeaderMatch("x-a", HeaderKind.EXACT, "b", is_negated=True),)),
]


@pytest.mark.parametrize(
    "entry, text, options",
    [
        (ENTRIES[0], "GET or HEAD /a b", "--method GET --path '/a b'"),
        (ENTRIES[1], "/a/{*}/{**} at *.b.c", "--path /a/x/x --host x.b.c"),
        (ENTRIES[2], "requests with x-a: bl...", "--header x-a:bl"),
        (ENTRIES[3], "requests with x-a: any value", "--header x-a:x"),
        (ENTRIES[4], "requests with x-a: not b", "--http"),
    ],
)
def test_requests_in_words(entry: HttpMatch, text: str, options: str) -> None:
    assert requests_text(entry) == text
    assert example_options(entry) == options


@pytest.mark.parametrize("entry", ENTRIES[1:])
def test_the_request_that_is_advised_is_one_that_the_rule_means(
    entry: HttpMatch,
) -> None:
    words = example_options(entry).split()
    given = dict(zip(words[::2], words[1::2], strict=False))
    request = read_request(
        given.get("--method"),
        given.get("--path"),
        given.get("--host"),
        [given["--header"]] if "--header" in given else [],
    )
    assert holds_in_union((entry,), request) is Holds.YES


# --- paths that can be read in two ways -----------------------------------------------


@pytest.mark.parametrize(
    "path, why",
    [
        ("", "does not start with a slash"),
        ("*", "does not start with a slash"),
        ("http://x/", "does not start with a slash"),
        ("/" + "a" * 4096, "longer than 4096 bytes"),
        ("/a b", "a space"),
        ("/a\\b", "a backslash"),
        ("/a#b", "a #"),
        ("/a\tb", "a control character"),
        ("/a\x7fb", "a control character"),
        ("/é", "must be percent-encoded"),
        ("/%", "not followed by two hex digits"),
        ("/%4", "not followed by two hex digits"),
        ("/%zz", "not followed by two hex digits"),
        ("/a%2fb", "%2f is a slash"),
        ("/a%5Cb", "%5C is a backslash"),
        ("/a%00b", "%00 is an encoded control character"),
        ("/a%7f", "%7f is an encoded control character"),
        ("/%C0%AF", "%C0%AF is not UTF-8"),
        ("/%E9", "%E9 is not UTF-8"),
        ("/..", "climbs above the root"),
        ("/a/%2e%2E/..", "climbs above the root"),
        ("/admin;x", "its ; starts path parameters to some servers"),
        ("/a/..;x/b", "its ; starts path parameters to some servers"),
    ],
)
def test_why_a_path_is_ambiguous(path: str, why: str) -> None:
    found = why_ambiguous(path)
    assert found is not None and why in found
    assert why_ambiguous(path + "?q") == found


@given(st.text("/.%25eEfFcC;a\\ #é\x00?", max_size=12).map("/{}".format))
def test_every_ambiguous_path_has_a_reason(path: str) -> None:
    """No path falls through to the words that say nothing."""
    why = why_ambiguous(path)
    assert (why is None) == (normal_form(path) is not None)
    if why == 'it climbs above the root with ".."':
        assert ".." in path.replace("%2e", ".").replace("%2E", ".")


def test_a_path_in_a_sentence_is_one_short_line() -> None:
    assert shown_path("/a?b") == "/a"
    assert shown_path("/a\nb") == r"'/a\nb'"
    assert len(shown_path("/" + "a" * 200)) == 80

"""`diff` where rules decide by the request: which requests, and by which rules."""

from __future__ import annotations

import pytest

from generator.analysis.diff.diff import NOT_ALL, compare
from generator.analysis.diff.requests import sample_paths, sample_requests
from generator.policy.model import HttpMatch, PathKind, PathMatch
from generator.policy.request import HttpRequest
from generator.table.chains import Chains
from tests.support.differences import (
    difference,
    http_rule,
    lines_of,
    module_of,
    overlay_policy,
    side_of,
)
from tests.support.meshes import deployment, mesh_of, namespace

INVENTORY = namespace() + deployment("web") + deployment("cart")
NOBODY = overlay_policy("api", http_rule("", source="nobody"))


def api(*entries: str, name: str = "api") -> str:
    """The web may send the cart what one of the entries means."""
    return INVENTORY + overlay_policy(name, http_rule(", ".join(entries)))


CART = "{methods: [GET], paths: [{prefix: /cart}]}"


@pytest.mark.parametrize(
    "before, after, kind, what",
    [
        (INVENTORY + NOBODY, api(CART), "gained", "nothing -> some requests"),
        (api(CART), api(""), "gained", "some requests -> all"),
        (INVENTORY + NOBODY, api(""), "gained", ""),
        (api(CART), api(CART, "{methods: [PUT]}"), "gained", "more requests"),
        (api(CART), api("{methods: [PUT]}"), "changed", "other requests"),
    ],
)
def test_levels(before: str, after: str, kind: str, what: str) -> None:
    ports = f"TCP 80 ({what})" if what else "TCP 80"
    ends = "shop/web", "shop/cart"
    assert lines_of(difference(before, after)) == {(kind, *ends, ports)}
    back = {"gained": "lost", "changed": "changed"}[kind]
    for old, new in (
        ("more", "fewer"),
        ("nothing -> some requests", "some requests -> nothing"),
    ):
        ports = ports.replace(old, new)
    ports = ports.replace("some requests -> all", "all -> some requests")
    assert lines_of(difference(after, before)) == {(back, *ends, ports)}


@pytest.mark.parametrize(
    "before, after",
    [
        (CART, "{methods: [GET], paths: [{prefix: /cart/}]}"),
        (CART, "{paths: [{template: '/cart/{**}'}, {exact: /cart}], methods: [GET]}"),
        (
            "{methods: [GET, PUT]}",
            "{methods: [PUT]}, {methods: [GET]}",
        ),
        (
            "{hosts: [a.example, '*.example']}",
            "{hosts: ['*.example']}",
        ),
        ("{paths: [{exact: /a/b}, {prefix: /a}]}", "{paths: [{prefix: /a}]}"),
    ],
)
def test_the_same_requests_otherwise_said(before: str, after: str) -> None:
    found = difference(api(before), api(after, name="other"))
    assert found.changes == ()
    assert found.notes == ()


@pytest.mark.parametrize(
    "before, after, request_",
    [
        # Each list, by an entry that is new.
        ("{methods: [GET]}", "{methods: [GET, PUT]}", HttpRequest("PUT", "/")),
        (
            "{paths: [{exact: /a}]}",
            "{paths: [{exact: /a}, {exact: /a/}]}",
            HttpRequest("GET", "/a/"),
        ),
        (
            "{hosts: [a.example]}",
            "{hosts: ['*.example']}",
            HttpRequest("GET", "/", "x.example"),
        ),
        (
            "{headers: [{name: x-a, exact: b}]}",
            "{headers: [{name: x-a, prefix: b}]}",
            HttpRequest("GET", "/", "", (("x-a", "bx"),)),
        ),
        (
            "{headers: [{name: x-a, present: true}]}",
            "{headers: [{name: x-a, present: true}]}, "
            "{headers: [{name: x-a, present: true, not: true}], methods: [PUT]}",
            HttpRequest("PUT", "/"),
        ),
        # What only two templates together can tell.
        (
            "{paths: [{template: '/{*}/b'}, {template: '/a/{*}'}], methods: [GET]}",
            "{paths: [{template: '/{*}/b'}, {template: '/a/{*}'}], methods: [GET]}, "
            "{paths: [{exact: /a/b}], methods: [PUT]}",
            HttpRequest("PUT", "/a/b"),
        ),
        # A path without a normal form: only rules without paths let it through.
        ("{paths: [{prefix: /}]}", "{methods: [GET]}", None),
    ],
)
def test_an_example_of_what_is_new(
    before: str, after: str, request_: HttpRequest | None
) -> None:
    (change,) = difference(api(before), api(after)).changes
    gained = {e.request for e in change.examples if e.kind == "gained"}
    if request_ is None:
        assert any(r is not None and r.path == "/%2F" for r in gained)
    else:
        assert request_ in gained
    assert all(e.turns[0].before and e.turns[0].after for e in change.examples)


def test_modules_tell_requests_apart_too() -> None:
    before, after = api(CART), api(CART, "{methods: [PUT]}")
    expected = lines_of(difference(before, after))
    assert lines_of(compare(module_of(before), module_of(after))) == expected
    assert lines_of(compare(module_of(before), side_of(mesh_of(after)))) == expected


DENY_ALL = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: deny, namespace: pepmesh-system}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}], http: [{paths: [{prefix: /}]}]}
---
"""


def test_flows_that_are_not_http_are_one_kind_of_request() -> None:
    """Without requests the flow goes on; with all but them it would be lost."""
    (change,) = (
        change
        for change in difference(INVENTORY + DENY_ALL, api(CART) + DENY_ALL).changes
        if change.flow.source == "shop/web" and change.before is change.after
    )
    assert [example.request for example in change.examples] == [None]
    assert change.kind == "lost"


def test_a_level_that_turns_for_requests_only_names_their_rule() -> None:
    """What is not HTTP was allowed all the time; no policy isolates anybody."""
    found = difference(INVENTORY + DENY_ALL, INVENTORY)
    assert ("gained", "shop/web", "shop/cart") in {line[:3] for line in lines_of(found)}
    for change in found.changes:
        (turn,) = change.turns
        assert turn.before and turn.after
        assert turn.before.rule == "OverlayPolicy/pepmesh-system/deny/ingress/0"
        assert turn.after.rule is None


def test_too_many_kinds_of_requests_are_said_to_be_too_many() -> None:
    entries = [
        f"{{methods: [M{n}], hosts: [h{n}.example], paths: [{{exact: /{n}}}]}}"
        for n in range(24)
    ]
    found = difference(api(*entries), api(*entries, name="other"))
    assert (found.changes, found.notes) == ((), (NOT_ALL,))


# --- samples -------------------------------------------------------------------------


def paths_of(*texts: str) -> list[str]:
    kinds = {"{": PathKind.TEMPLATE, "*": PathKind.PREFIX}
    entries = []
    for text in texts:
        kind = next((k for mark, k in kinds.items() if mark in text), PathKind.EXACT)
        pattern = text if kind is PathKind.TEMPLATE else text.rstrip("*")
        entries.append(HttpMatch(paths=(PathMatch(kind, pattern),)))
    chains = Chains({0: tuple(entries)})
    chains.port_range(0, 0, [0])
    return sample_paths(chains.made)


def test_one_path_for_every_set_of_patterns() -> None:
    """Of the sets that no path meets there is none."""
    assert paths_of("/a") == ["/", "/a", "/%2F"]
    assert set(paths_of("/a", "/a*")) == {"/a", "/a/", "/", "/%2F"}
    both = {"/a/x", "/x/b", "/a/b", "/a", "/%2F"}
    assert set(paths_of("/a/{*}", "/{*}/b")) == both
    assert paths_of("/x", "/{*}") == ["/", "/other", "/x", "/%2F"]


def test_samples_vary_paths_and_methods_first() -> None:
    entry = HttpMatch(
        methods=("PUT",), hosts=("a",), paths=(PathMatch(PathKind.EXACT, "/a"),)
    )
    chains = Chains({0: (entry,)})
    chains.port_range(0, 0, [0])
    found = list(sample_requests(chains.made))
    assert {(r.method, r.path) for r in found[:6]} == {
        (method, path) for method in ("PUT", "GET") for path in ("/a", "/", "/%2F")
    }
    assert len(found) == 12

"""What the oracle says of requests: the rules of DESIGN.md, sentence by sentence.

A row is `request -> answer`, and a request is `METHOD TARGET [HOST] [name=value ...]`,
or `-` for a flow that is not HTTP. What paths and hosts are on their own is in
`test_oracle_paths`.
"""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Final

import pytest

from generator.policy.model import Model, Protocol, Tier
from generator.policy.oracle import DirectionVerdict, decide
from generator.policy.request import HttpRequest
from tests.policy.test_oracle import end, model, policy
from tests.policy.test_tiers import cluster, decided

# --- policies -------------------------------------------------------------------------


def rules(*entries: str) -> str:
    """Rules of ingress; each is the inside of a flow mapping."""
    return f"ingress: [{', '.join(f'{{{entry}}}' for entry in entries)}]"


def accept(*http: str) -> str:
    return f"http: [{', '.join(f'{{{entry}}}' for entry in http)}]"


def ordered(action: str, *http: str, peer: str = "namespaces: {}") -> str:
    more = f", {accept(*http)}" if http else ""
    return f"action: {action}, from: [{{{peer}}}]{more}"


def overlay(
    spec: str, name: str = "o", tier: str = "", priority: int = 1, mode: str = "enforce"
) -> str:
    """An OverlayPolicy for all pods of shop; `tier` empty: the normal one."""
    place = f"tier: {tier}\npriority: {priority}\n" if tier else ""
    subject = "{namespaces: {matchLabels: {team: a}}}"
    body = indent(f"{place}mode: {mode}\nsubject: {subject}\n{dedent(spec)}", "  ")
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: {name}, namespace: pepmesh-system}}\nspec:\n{body}\n---\n"
    )


def normal(*http: str) -> Model:
    """A model with one policy of the normal tier that accepts these requests."""
    return model(overlay(rules(accept(*http))))


def request_of(text: str) -> HttpRequest | None:
    if text == "-":
        return None
    method, target, *rest = text.split(" ")
    host = rest.pop(0) if rest and "=" not in rest[0] else ""
    headers = [tuple(header.split("=", 1)) for header in rest]
    return HttpRequest(method, target, host, tuple((n, v) for n, v in headers))


def judge(found: Model, request: str, *, audit: bool = False) -> DirectionVerdict:
    """Ask about the ingress of shop/db, from bank/web."""
    ends = end(found, "bank/web"), end(found, "shop/db")
    decision = decide(
        found, *ends, Protocol.TCP, 80, audit=audit, request=request_of(request)
    )
    return decision.ingress


def answer(verdict: DirectionVerdict) -> str:
    if verdict.is_ambiguous:
        assert not verdict.allowed
        return "ambiguous"
    return "yes" if verdict.allowed else "no"


def check(found: Model, table: str) -> None:
    """Check rows `request -> yes|no|ambiguous`."""
    for row in dedent(table).strip().splitlines():
        request, _, expected = row.rpartition(" -> ")
        assert answer(judge(found, request.strip())) == expected, row


def test_a_rule_with_http_never_matches_what_is_not_http() -> None:
    check(normal("methods: [GET]"), "- -> no\nGET / -> yes")
    check(normal("paths: [{prefix: /}]"), "- -> no\nGET / -> yes")
    denying = overlay(rules(ordered("Deny", "methods: [GET]")), tier="Admin")
    check(model(denying), "- -> yes\nGET / -> no")


def test_methods_are_compared_as_they_are() -> None:
    check(
        normal("methods: [GET, M-SEARCH]"),
        """
        GET / -> yes
        M-SEARCH /x -> yes
        get / -> no
        GETS / -> no
        POST / -> no
        """,
    )


def test_inside_a_field_any_holds() -> None:
    check(
        normal('paths: [{exact: /a}, {template: "/b/{*}"}], hosts: [h.x, "*.y"]'),
        """
        GET /a h.x -> yes
        GET /b/c z.y:80 -> yes
        GET /a y -> no
        GET /c h.x -> no
        GET /a h.x. -> yes
        GET /%61?q H.X -> yes
        """,
    )


def test_headers_must_all_hold_and_so_must_all_fields() -> None:
    check(
        normal(
            "methods: [GET], paths: [{exact: /a}], "
            "headers: [{name: x-a, exact: v}, {name: x-b, present: true}]"
        ),
        """
        GET /a h x-a=v x-b= -> yes
        GET /a h x-b=q x-a=v -> yes
        GET /a h x-a=v -> no
        GET /a h x-b=v -> no
        POST /a h x-a=v x-b= -> no
        GET /b h x-a=v x-b= -> no
        """,
    )


def test_entries_are_ored() -> None:
    check(
        normal("methods: [GET]", "paths: [{exact: /a}]"),
        "GET /b -> yes\nPOST /a -> yes\nPOST /b -> no",
    )


# --- headers --------------------------------------------------------------------------

HEADERS: Final = [
    # Names have no case, values have.
    ("name: X-A, exact: v", "x-a=v yes, X-a=v yes, x-a=V no, x-b=v no, x-a=va no"),
    ("name: x-a, exact: v", "x-a=v yes, x-a= no"),
    ("name: x-a, prefix: v", "x-a=v yes, x-a=va yes, x-a=av no, x-a= no, x-b=v no"),
    # present: at least one.
    ("name: x-a, present: true", "x-a=v yes, x-a= yes, x-a=v x-a=w yes, x-b=v no"),
    # Repeated: all values hold, none, or they disagree.
    (
        "name: x-a, exact: v",
        "x-a=v x-a=v yes, x-a=w x-a=u no, x-a=v x-a=w ambiguous, x-a=w x-a=v ambiguous",
    ),
    (
        "name: x-a, prefix: v",
        "x-a=va x-a=vb yes, x-a=w x-a= no, x-a=va x-a=a x-a=v ambiguous",
    ),
    # `not` turns it round; of what is ambiguous, it is ambiguous. Absent: it holds.
    (
        "name: x-a, exact: v, not: true",
        "x-b=v yes, x-a=w yes, x-a=v no, x-a=v x-a=v no, x-a=w x-a=u yes, "
        "x-a=v x-a=w ambiguous",
    ),
    ("name: x-a, prefix: v, not: true", "x-b=v yes, x-a=va no, x-a=a yes"),
    ("name: x-a, present: true, not: true", "x-b=v yes, x-a= no, x-a=v x-a=w no"),
]


@pytest.mark.parametrize("header, rows", HEADERS)
def test_headers(header: str, rows: str) -> None:
    """Both tiers agree, but for what is ambiguous: see below."""
    entry = f"headers: [{{{header}}}]"
    accepting = overlay(
        rules(ordered("Accept", entry), ordered("Deny")), tier="Baseline"
    )
    for row in rows.split(", "):
        given, _, expected = row.rpartition(" ")
        check(normal(entry), f"GET / h {given} -> {expected}")
        check(model(accepting), f"GET / h {given} -> {expected}")


# --- order, and what is ambiguous ----------------------------------------------------


def test_an_ambiguous_path_is_denied_in_order_whatever_the_action() -> None:
    """And whatever else the rule asks for: the first rule that is reached."""
    entry = "paths: [{exact: /a}], methods: [GET], hosts: [h.x]"
    for tier in ("Admin", "Baseline"):
        for action in ("Accept", "Deny", "Pass"):
            found = model(overlay(rules(ordered(action, entry)), tier=tier))
            check(found, "POST /%2F -> ambiguous\nPOST /b -> yes\n- -> yes")
            verdict = judge(found, "POST /..")
            assert decided(verdict) == (Tier[tier.upper()], "o", 0)


def test_an_ambiguous_path_matters_where_a_rule_is_reached() -> None:
    by_path = ordered("Accept", "paths: [{exact: /a}]")
    row = "GET /%5c -> "
    # An earlier rule that matches decides, if it has no paths.
    for action, expected in (("Accept", "yes"), ("Pass", "yes"), ("Deny", "no")):
        for first in (ordered(action), ordered(action, "methods: [GET]")):
            check(model(overlay(rules(first, by_path), tier="Admin")), row + expected)
    # One that does not match does not, nor does a policy of later priority.
    first = ordered("Accept", "methods: [POST]")
    check(model(overlay(rules(first, by_path), tier="Admin")), row + "ambiguous")
    early = overlay(rules(ordered("Accept")), "a", "Admin", 0)
    late = overlay(rules(by_path), "b", "Admin", 1)
    check(model(early, late), row + "yes")
    # The peer must match, and the port.
    other = ordered("Deny", "paths: [{exact: /a}]", peer="networks: [192.0.2.0/24]")
    check(model(overlay(rules(other), tier="Admin")), row + "yes")
    port = by_path + ", ports: [{port: 81}]"
    check(model(overlay(rules(port), tier="Admin")), row + "yes")


def test_one_entry_with_paths_is_enough() -> None:
    """Even behind one that holds: the rule as a whole depends on the path."""
    entries = "methods: [GET]", "paths: [{exact: /a}]"
    ordered_model = model(overlay(rules(ordered("Accept", *entries)), tier="Admin"))
    check(ordered_model, "GET /%2f -> ambiguous\nGET /b -> yes")
    check(normal(*entries), "GET /%2f -> ambiguous\nGET /b -> yes")


def test_a_rule_that_asks_for_no_path_does_not_mind_it() -> None:
    check(normal("methods: [GET]"), "GET /%2f -> yes\nPOST /%2f -> no")
    denying = overlay(rules(ordered("Deny", "methods: [GET]")), tier="Admin")
    check(model(denying), "GET /%2f -> no\nPOST /%2f -> yes")


def test_in_the_normal_tier_access_is_a_union() -> None:
    """An ambiguous path or header meets no rule that asks for it; others still may."""
    by_path = accept("paths: [{prefix: /}]")
    by_header = accept("headers: [{name: x-a, exact: v}]")
    by_method = accept("methods: [GET]")
    found = model(overlay(rules(by_path, by_header, by_method)))
    check(
        found,
        """
        GET /.. -> yes
        POST /.. -> ambiguous
        POST /.. h x-a=v -> yes
        POST /a h x-a=v x-a=w -> yes
        POST /.. h x-a=v x-a=w -> ambiguous
        """,
    )
    assert decided(judge(found, "POST /..")) == (Tier.NORMAL, "o", None)
    assert decided(judge(found, "GET /..")) == (Tier.NORMAL, "o", 2)
    check(model(overlay(rules(by_header))), "GET / h x-a=v x-a=w -> ambiguous")
    # A plain NetworkPolicy beside it allows whatever the path is.
    check(model(overlay(rules(by_path)), policy("ingress: [{}]")), "GET /.. -> yes")


def test_a_denial_is_ambiguous_only_by_rules_that_would_match() -> None:
    """Their peers and ports must; and nothing else in the entry may say no."""
    row = "GET /.. h x-a=v x-a=w -> "
    port = accept("paths: [{prefix: /}]") + ", ports: [{port: 81}]"
    check(model(overlay(rules(port))), row + "no")
    peer = accept("paths: [{prefix: /}]") + ", from: [{networks: [192.0.2.0/24]}]"
    check(model(overlay(rules(peer))), row + "no")
    check(normal("methods: [POST], headers: [{name: x-a, exact: v}]"), row + "no")
    check(normal("hosts: [x.y], headers: [{name: x-a, exact: v}]"), row + "no")
    headers = "{name: x-a, exact: v}, {name: x-b, present: true}"
    check(normal(f"headers: [{headers}]"), row + "no")
    # The path says so whatever else the entry asks for.
    check(normal("methods: [POST], paths: [{prefix: /}]"), row + "ambiguous")
    # Of a policy of other directions, or another subject's, nothing is asked.
    other = overlay(rules(accept("paths: [{prefix: /}]"))).replace("team: a", "team: b")
    check(model(other, policy("ingress: []")), row + "no")


def test_an_ambiguous_header_is_denied_in_order_by_an_entry_that_is_not_a_no() -> None:
    entry = "headers: [{name: x-a, exact: v}]"
    row = "GET / h x-a=v x-a=w -> "
    for action in ("Accept", "Deny", "Pass"):
        found = model(overlay(rules(ordered(action, entry)), tier="Admin"))
        check(found, row + "ambiguous")
        assert decided(judge(found, "GET / h x-a=v x-a=w")) == (Tier.ADMIN, "o", 0)
        for no in ("methods: [POST]", "hosts: [x.y]", "paths: [{exact: /a}]"):
            found = model(
                overlay(rules(ordered(action, f"{no}, {entry}")), tier="Admin")
            )
            check(found, row + "yes")


def test_entries_of_one_rule_are_tried_in_their_order() -> None:
    """In order, an ambiguous entry counts before one that holds, not behind it."""
    unclear, clear = "headers: [{name: x-a, exact: v}]", "methods: [GET]"
    row = "GET / h x-a=v x-a=w -> "
    for entries, expected in (
        ((unclear, clear), "ambiguous"),
        ((clear, unclear), "yes"),
        (("methods: [POST]", unclear, clear), "ambiguous"),
    ):
        found = model(overlay(rules(ordered("Accept", *entries)), tier="Admin"))
        check(found, row + expected)
        # In the normal tier it adds nothing, and takes nothing away.
        check(normal(*entries), row + "yes")


def test_a_rule_before_or_behind_decides_by_order() -> None:
    entry = "headers: [{name: x-a, exact: v}]"
    row = "GET / h x-a=v x-a=w -> "
    one, all_of_it = ordered("Deny", entry), ordered("Accept")
    check(model(overlay(rules(one, all_of_it), tier="Admin")), row + "ambiguous")
    check(model(overlay(rules(all_of_it, one), tier="Admin")), row + "yes")


def test_requests_pass_and_fall_through_tiers() -> None:
    passing = overlay(rules(ordered("Pass", "paths: [{prefix: /a}]")), "a", "Admin")
    denying = overlay(rules(ordered("Deny")), "b", "Admin", 2)
    base = overlay(
        rules(ordered("Deny", "methods: [POST]"), ordered("Accept")), "c", "Baseline"
    )
    check(
        model(passing, denying, base),
        """
        GET /a -> yes
        POST /a -> no
        GET /b -> no
        - -> no
        GET /a%00 -> ambiguous
        """,
    )
    # The normal tier is final for whom it isolates, also where only requests differ.
    found = model(passing, denying, base, overlay(rules(accept("methods: [PUT]"))))
    check(found, "PUT /a -> yes\nGET /a -> no\nPOST /a -> no")


def test_cluster_wide_rules_do_not_ask_about_requests() -> None:
    found = model(cluster("in Deny {namespaces: {}}", name="z", priority=1))
    check(found, "GET /.. -> no\n- -> no")
    earlier = overlay(rules(ordered("Accept", "methods: [GET]")), "a", "Admin", 0)
    later = earlier.replace("priority: 0", "priority: 2")
    deny = cluster("in Deny {namespaces: {}}", priority=1)
    check(model(earlier, deny), "GET / -> yes\nPOST / -> no\n- -> no")
    check(model(later, deny), "GET / -> no")


def test_audited_rules_are_judged_only_if_asked() -> None:
    denying = ordered("Deny", "paths: [{exact: /a}]")
    found = model(overlay(rules(denying), tier="Admin", mode="audit"))
    assert answer(judge(found, "GET /a")) == "yes"
    assert answer(judge(found, "GET /a", audit=True)) == "no"
    assert answer(judge(found, "GET /..", audit=True)) == "ambiguous"
    assert answer(judge(found, "GET /..")) == "yes"

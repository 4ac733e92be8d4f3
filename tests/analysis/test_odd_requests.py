"""`explain` about requests that cannot be, or that few clients send."""

from __future__ import annotations

import pytest

from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Outcome
from generator.analysis.explain.explanation import explanation_text
from generator.policy.request import HttpRequest
from tests.analysis.test_explain_requests import ask

# --- requests that cannot be ----------------------------------------------------------


@pytest.mark.parametrize(
    "request_, protocol, code, message",
    [
        (HttpRequest(), "UDP", "RUN0016", "over UDP"),
        (HttpRequest("GET /"), "TCP", "RUN0018", "'GET /' is not a method"),
        (HttpRequest(""), "TCP", "RUN0018", "'' is not a method"),
        (HttpRequest(path="/\udcff"), "TCP", "RUN0018", "path is not UTF-8"),
        (HttpRequest(headers=(("a b", ""),)), "TCP", "RUN0018", "'a b' is not the"),
        (HttpRequest(headers=(("host", "x"),)), "TCP", "RUN0018", "is no header here"),
        (HttpRequest(headers=(("a", "x\ny"),)), "TCP", "RUN0018", "more than one line"),
        (HttpRequest(headers=(("a", "\udcff"),)), "TCP", "RUN0018", "header a is not"),
    ],
)
def test_requests_that_no_client_sends(
    request_: HttpRequest, protocol: str, code: str, message: str
) -> None:
    with pytest.raises(QuestionError) as caught:
        ask("shop/web", "shop/cart", 8080, request_, protocol)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert message in diagnostic.message


def test_nothing_that_a_client_sends_acts_on_a_terminal() -> None:
    odd = (("x-team", "\x1b[2J"),)
    request = HttpRequest("POST", "/\x1b[2J", "\x1b[2J", odd)
    found = ask("shop/web", "shop/cart", 8080, request)
    assert found.outcome is Outcome.DENY
    assert "\x1b" not in explanation_text(found, is_wide=True)
    for host, headers, text in (
        ("", odd, r"header x-team is '\x1b[2J', rule wants blue"),
        ("\x1b[2J", (("x-team", "blue"),), r"host '\x1b[2j' is not cart.shop.svc"),
    ):
        request = HttpRequest("POST", "/x", host, headers)
        shown = explanation_text(ask("shop/web", "shop/cart", 8080, request))
        assert "\x1b" not in shown
        assert text in shown


def test_an_odd_path_is_a_question_worth_asking() -> None:
    for path in ("", "*", "/a\nb", "/é", "/" + "x" * 5000):
        found = ask("shop/web", "shop/api", 80, HttpRequest(path=path))
        assert found.reason == "request_ambiguous", path
        assert "\n" not in explanation_text(found).splitlines()[0]

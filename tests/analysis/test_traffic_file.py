"""Files of traffic: what they say, what is wrong with them, and the answers."""

from __future__ import annotations

import pytest

from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explainer, Outcome
from generator.analysis.simulate.traffic_answers import (
    TrafficAnswer,
    answer_traffic,
    are_all,
    traffic_document,
)
from generator.analysis.simulate.traffic_file import read_traffic_file
from generator.analysis.traffic import Traffic
from generator.errors import Diagnostic
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.source import SourceFile
from tests.support.loading import pointed_at
from tests.support.meshes import deployment, mesh_of, namespace, policy

HEAD = "apiVersion: pepmesh.dev/v1\nkind: Traffic\n"


def read(text: str, name: str = "traffic.yaml") -> list[Traffic]:
    return read_traffic_file(SourceFile(name, text))


def wrong(text: str, name: str = "traffic.yaml") -> tuple[Diagnostic, ...]:
    with pytest.raises(QuestionError) as caught:
        read(text, name)
    return caught.value.diagnostics


def facts(flows: list[Traffic]) -> list[tuple[object, ...]]:
    return [(f.source, f.destination, f.port, f.protocol, f.request) for f in flows]


YAML = (
    HEAD
    + """\
metadata: {name: mine}
flows:
- {from: shop/web, to: shop/cart, port: 80}
- {from: 192.0.2.1, to: shop/cart, port: http, protocol: UDP}
- from: shop/web
  to: shop/cart
  port: 80
  http: {method: POST, path: /a?b, host: c.example, headers: {X-A: [b, c]}}
- {from: shop/web, to: shop/cart, port: 80, http: {}}
"""
)
CSV = """\
from,to,port,protocol,method,path,host
shop/web,shop/cart,80,,,,
192.0.2.1,shop/cart,http,UDP,,,

shop/web, shop/cart ,80,TCP,POST,/a?b,c.example
shop/web,shop/cart,80,,GET,,
"""


def test_both_forms_say_the_same() -> None:
    plain = ("shop/web", "shop/cart", "80", Protocol.TCP)
    post = HttpRequest("POST", "/a?b", "c.example")
    with_headers = HttpRequest(
        "POST", "/a?b", "c.example", (("x-a", "b"), ("x-a", "c"))
    )
    second = ("192.0.2.1", "shop/cart", "http", Protocol.UDP, None)
    last = (*plain, HttpRequest())
    assert facts(read(YAML)) == [(*plain, None), second, (*plain, with_headers), last]
    found = facts(read(CSV, "traffic.csv"))
    assert found == [(*plain, None), second, (*plain, post), last]


def test_flows_know_their_lines() -> None:
    lines = [flow.span.start.line + 1 for flow in read(YAML) if flow.span]
    assert lines == [5, 6, 7, 11]
    lines = [f.span.start.line + 1 for f in read(CSV, "t.csv") if f.span]
    assert lines[:2] == [2, 3] and lines[3] == 6


def test_columns_come_in_any_order_and_may_be_left_out() -> None:
    (flow,) = read("port,to,from\n80,b/b,a/a\n", "t.csv")
    assert (flow.source, flow.destination, flow.port) == ("a/a", "b/b", "80")


@pytest.mark.parametrize(
    "text, code, message, place",
    [
        ("", "RUN0030", "has no flows", ""),
        (HEAD + "flows: []\n", "RUN0030", "has no flows", ""),
        (HEAD, "INP0008", "flows is missing", "apiVersion"),
        (
            "apiVersion: v1\nkind: Traffic\nflows: []\n",
            "RUN0030",
            "v1 Traffic is not pepmesh.dev/v1 Traffic",
            "apiVersion",
        ),
        (HEAD + "flow: []\nflows: []\n", "POL0001", 'unknown field "flow"', "flow"),
        (HEAD + "flows: {}\n", "INP0005", "expected a list", "{}"),
        (HEAD + "flows: [{from: a/a, to: b/b}]\n", "INP0008", "port", "from"),
        (
            HEAD + "flows: [{from: a, to: b, port: 1, prot: TCP}]\n",
            "POL0001",
            'unknown field "prot"',
            "prot",
        ),
        (
            HEAD + "flows: [{from: a, to: b, port: 1, protocol: ICMP}]\n",
            "POL0004",
            "ICMP",
            "ICMP",
        ),
        ("flows: [}\n", "INP0003", "", None),
    ],
)
def test_bad_yaml(text: str, code: str, message: str, place: str | None) -> None:
    (found,) = wrong(text)
    assert found.code == code
    assert message in found.message
    assert found.span is not None
    if place is not None:
        assert pointed_at(text + "\n", found.span).startswith(place)


def test_every_bad_flow_is_found() -> None:
    text = HEAD + "flows: [{from: a}, {from: a, to: b, port: 1}, {to: [b], from: a}]\n"
    assert len(wrong(text)) == 2


@pytest.mark.parametrize(
    "text, code, message, line",
    [
        ("", "RUN0030", "has no flows", 1),
        ("from,to,port\n", "RUN0030", "has no flows", 1),
        ("from,to\na,b\n", "RUN0031", '"port" is missing', 1),
        ("from,to,port,user\n", "RUN0031", 'unknown column "user"', 1),
        ("from,to,port,port\n", "RUN0031", "twice", 1),
        ("from,to,port\na,b\n", "RUN0031", "2 cells in a table of 3 columns", 2),
        ("from,to,port\n\na,,80\n", "RUN0031", '"to" is empty', 3),
        ("from,to,port,protocol\na,b,80,ICMP\n", "POL0004", "ICMP", 2),
        ('from,to,port\n"a"b,c,80\n', "RUN0031", "not CSV", 2),
    ],
)
def test_bad_csv(text: str, code: str, message: str, line: int) -> None:
    (found,) = wrong(text, "traffic.csv")
    assert found.code == code
    assert message in found.message
    assert found.span is not None and found.span.start.line + 1 == line


# --- answers -------------------------------------------------------------------------

SHOP = (
    namespace()
    + deployment("web")
    + deployment("cart")
    + policy(
        "cart-in",
        "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: 80}]}]}",
    )
)


def answers(*flows: Traffic) -> list[TrafficAnswer]:
    mesh = mesh_of(SHOP)
    return answer_traffic(Explainer(mesh.engine, mesh.model, mesh.built.overlay), flows)


ALLOWED = Traffic("shop/web", "shop/cart", "80")
DENIED = Traffic("shop/web", "shop/cart", "81")
FREE = Traffic("shop/cart", "shop/web", "81")


def test_answers_keep_the_order_and_name_rules() -> None:
    found = answers(DENIED, ALLOWED, FREE, DENIED)
    assert [answer.row for answer in found] == [
        (
            *("shop/web", "shop/cart", "81", "TCP", "", "DENY", "ingress_denied"),
            *("NetworkPolicy/shop/cart-in/ingress/default", "test.yaml:27"),
        ),
        (
            *("shop/web", "shop/cart", "80", "TCP", "", "ALLOW", "allowed"),
            *("NetworkPolicy/shop/cart-in/ingress/0", "test.yaml:28"),
        ),
        ("shop/cart", "shop/web", "81", "TCP", "", "ALLOW", "allowed", "", ""),
        found[0].row,
    ]


def test_the_document_of_answers() -> None:
    request = HttpRequest("POST", "/a", "", (("x-a", "b"), ("x-a", "c")))
    asked = Traffic("shop/web", "shop/cart", "80", Protocol.TCP, request)
    document = traffic_document(answers(asked, FREE))
    assert (document["apiVersion"], document["kind"]) == (
        "pepmesh.dev/v1",
        "TrafficAnswers",
    )
    flows = document["flows"]
    assert isinstance(flows, list)
    assert flows[0]["http"] == {
        "method": "POST",
        "path": "/a",
        "host": "",
        "headers": {"x-a": ["b", "c"]},
    }
    assert (flows[0]["port"], flows[0]["verdict"]) == (80, "ALLOW")
    assert (flows[1]["http"], flows[1]["rule"]) == (None, None)


def test_expectations_hold_for_all_or_not() -> None:
    assert are_all(answers(ALLOWED, FREE), "allow")
    assert not are_all(answers(ALLOWED, DENIED), "allow")
    assert not are_all(answers(ALLOWED, DENIED), "deny")
    assert are_all(answers(DENIED), "deny")
    (one,) = answers(DENIED)
    mixed = TrafficAnswer(one.traffic, Outcome.MIXED, one.reason, None, None)
    assert not are_all([mixed], "deny") and not are_all([mixed], "allow")


def test_every_unknown_name_and_port_is_located() -> None:
    text = (
        HEAD
        + "flows:\n- {from: shop/wep, to: shop/cart, port: 80}\n"
        + "- {from: shop/web, to: shop/cart, port: 80}\n"
        + "- {from: shop/web, to: shop/cart, port: metrics}\n"
    )
    with pytest.raises(QuestionError) as caught:
        answers(*read(text))
    found = caught.value.diagnostics
    assert [(d.code, d.span and d.span.start.line + 1) for d in found] == [
        ("RUN0010", 4),
        ("RUN0011", 6),
    ]

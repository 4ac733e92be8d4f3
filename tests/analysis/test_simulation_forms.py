"""All flows as Markdown and as dot, and the data of the page."""

from __future__ import annotations

import html
import json
import re

import pytest

from generator.analysis.simulate.dot import quote, simulation_dot
from generator.analysis.simulate.markdown import (
    WIDEST_MATRIX,
    simulation_markdown,
    table_markdown,
)
from generator.analysis.simulate.mesh_flows import MeshFlows
from generator.analysis.simulate.pairs import pairs_of
from generator.analysis.simulate.report import report_document
from generator.analysis.simulate.report_page import report_page
from generator.analysis.simulate.simulation import Connection, simulate
from tests.support.dot import read_dot
from tests.support.meshes import (
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    with_revoked,
)
from tests.support.reports import HOSTILE, shop_mesh

EVERYWHERE = "0.0.0.0-255.255.255.255"
ALL = ((1, 65535),)
OWNERS = ["ops/probe", "shop/cart", "shop/web"]
CONNECTIONS = [
    *(Connection(EVERYWHERE, "shop/web", p, ALL) for p in ("SCTP", "TCP", "UDP")),
    Connection("ops/probe", "shop/web", "UDP", ((53, 53),)),
    Connection("ops/probe", "shop/web", "TCP", ((80, 80), (90, 99))),
    Connection("shop/web", "shop/cart", "TCP", ((80, 80),)),
    Connection("shop/web", "shop/cart", "TCP", ((81, 81),), ("GET /a|b", "not POST")),
    Connection("shop/web", "ops/probe", "TCP", ((9, 9),), ('GET x-a="q\\"',)),
]


def test_pairs_have_all_ports_in_one_text() -> None:
    assert [str(pair) for pair in pairs_of(CONNECTIONS)] == [
        "all ports",
        "TCP 80,90-99, UDP 53",
        "TCP 80; some requests on TCP 81: GET /a|b, not POST",
        'some requests on TCP 9: GET x-a="q\\"',
    ]


# --- Markdown ------------------------------------------------------------------------


def test_a_small_mesh_is_a_matrix() -> None:
    assert simulation_markdown(OWNERS, CONNECTIONS).splitlines() == [
        "## Between workloads",
        "",
        "| from \\\\ to | ops/probe | shop/cart | shop/web |",
        "| --- | --- | --- | --- |",
        "| ops/probe | - |  | TCP 80,90-99, UDP 53 |",
        "| shop/cart |  | - |  |",
        '| shop/web | some requests on TCP 9: GET x-a="q\\\\" | '
        "TCP 80; some requests on TCP 81: GET /a\\|b, not POST | - |",
        "",
        "## With addresses outside",
        "",
        "| from | to | allowed |",
        "| --- | --- | --- |",
        f"| {EVERYWHERE} | shop/web | all ports |",
    ]


def test_a_large_mesh_is_a_list() -> None:
    owners = sorted([*OWNERS, *(f"x/{n}" for n in range(WIDEST_MATRIX - 2))])
    text = simulation_markdown(owners, CONNECTIONS)
    assert "| ops/probe | shop/web | TCP 80,90-99, UDP 53 |" in text
    assert "x/1" not in text
    assert "| from \\\\ to |" in simulation_markdown(owners[1:], CONNECTIONS)


def test_no_flows_are_said() -> None:
    text = simulation_markdown(["a/a"], [])
    assert text.endswith("## With addresses outside\n\nNo flow is allowed.")


def test_texts_mean_themselves_in_markdown() -> None:
    """GFM: a pipe ends a cell, also within code; `<` may start HTML."""
    table = table_markdown(("a", "b"), [("<b>|`x`", "*_[l](u)\n&amp;")])
    assert table.splitlines()[2] == (
        "| &lt;b&gt;\\|\\`x\\` | \\*\\_\\[l\\](u) &amp;amp; |"
    )


# --- dot -----------------------------------------------------------------------------


def test_dot_has_clusters_edges_and_outside() -> None:
    graph = read_dot(simulation_dot(OWNERS, CONNECTIONS))
    assert graph.clusters == {
        "ops": ["ops/probe"],
        "shop": ["shop/cart", "shop/web"],
    }
    assert graph.nodes["shop/cart"] == {"label": "cart"}
    assert graph.nodes[EVERYWHERE] == {"style": "dashed"}
    assert set(graph.nodes) == {*OWNERS, EVERYWHERE}
    assert set(graph.edges) == {(c.source, c.destination) for c in CONNECTIONS}
    assert graph.edges["ops/probe", "shop/web"] == {"label": "TCP 80,90-99, UDP 53"}


def test_dot_marks_what_depends_on_requests() -> None:
    edges = read_dot(simulation_dot(OWNERS, CONNECTIONS)).edges
    assert "style" not in edges["shop/web", "shop/cart"]
    assert edges["shop/web", "shop/cart"]["label"] == (
        "TCP 80\\nTCP 81:\\nGET /a|b\\nnot POST"
    )
    assert edges["shop/web", "ops/probe"]["style"] == "dashed"
    assert edges["shop/web", "ops/probe"]["label"].endswith('GET x-a="q\\"')


def test_dot_is_the_same_every_time() -> None:
    mesh = shop_mesh()
    found = simulate(mesh.engine, mesh.built.overlay)
    owners = ["pay/ledger", "shop/cart", "shop/db", "shop/web"]
    text = simulation_dot(owners, found)
    assert text == simulation_dot(owners, list(found))
    read = read_dot(text)
    assert set(read.edges) == {(c.source, c.destination) for c in found}


@pytest.mark.parametrize("text", ["a", 'say "x"', "a\\", '\\"', "a\\n", "{b}|<c>"])
def test_quoted_texts_stay_one_token(text: str) -> None:
    assert list(read_dot(f"digraph g {{ {quote(text)}; }}").nodes) == [text]


# --- the data of the page ------------------------------------------------------------


def test_the_page_is_one_safe_file() -> None:
    mesh = shop_mesh()
    page = report_page(mesh.engine, mesh.built.overlay)
    assert HOSTILE not in page
    assert page.count("</script>") == 2
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert "default-src 'none'" in html.unescape(page)
    assert page == report_page(mesh.engine, mesh.built.overlay)
    data = page.partition('id="data">')[2].partition("</script>")[0]
    document = json.loads(data)
    assert (document["apiVersion"], document["kind"]) == (
        "pepmesh.dev/v1",
        "AccessReport",
    )
    assert any(HOSTILE in text for rule in document["rules"] for text in rule["http"])


def test_rows_of_the_matrix_are_complete() -> None:
    mesh = shop_mesh()
    flows = MeshFlows(mesh.engine, mesh.built.overlay)
    document = report_document(flows, "sha256:0")
    matrix = document["matrix"]
    assert isinstance(matrix, dict)
    for rows in matrix.values():
        assert len(rows) == len(flows.groups)
        for runs in rows:
            assert sum(runs[1::2]) == len(flows.groups)
            neighbours = zip(runs[::2], runs[2::2], strict=False)
            assert all(one != other for one, other in neighbours)


def notes_of(document: dict[str, object]) -> set[str]:
    sides = document["sides"]
    assert isinstance(sides, list)
    return {
        one["note"] for alternatives in sides for one in alternatives if "note" in one
    }


def test_who_is_not_judged_is_said() -> None:
    text = namespace() + deployment("web") + pod("agent", host_network=True)
    mesh = mesh_of(text)
    document = report_document(MeshFlows(mesh.engine, mesh.built.overlay), "")
    assert notes_of(document) == {"It is outside the overlay: nobody judges this."}
    mesh = with_revoked(mesh, "shop/web")
    document = report_document(MeshFlows(mesh.engine, mesh.built.overlay), "")
    assert "The source is revoked, so it is refused whatever policy says." in notes_of(
        document
    )


def test_endpoints_that_differ_are_told_apart() -> None:
    """Pods of one owner with other labels: two sides, one of which allows."""
    text = (
        namespace()
        + pod("db", labels="{app: db}")
        + pod("mix-0", labels="{role: reader}", owner="mix")
        + pod("mix-1", labels="{role: writer}", owner="mix")
        + policy(
            "role",
            "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
            "{matchLabels: {role: writer}}}], ports: [{port: 99}]}]}",
        )
    )
    mesh = mesh_of(text)
    document = report_document(MeshFlows(mesh.engine, mesh.built.overlay), "")
    sides = document["sides"]
    assert isinstance(sides, list)
    (pair,) = [one for one in sides if len(one) == 2]
    ports = {entry["ports"] for side in pair for entry in side["entries"]}
    assert ports == {"TCP 99", "all other ports", "all ports"}


@pytest.mark.parametrize(
    "ports, label",
    [
        ("{port: 8080}", "8080"),
        ("{port: 53, protocol: UDP}", "53/udp"),
        ("{port: 80}, {port: 443}", "80,443"),
        ("{port: 8080}, {port: 9090}, {port: 53}", "3 ports"),
        ("{port: 1, endPort: 1234}, {port: 9, protocol: SCTP}", "1,235 ports"),
        ("{protocol: TCP}", "all TCP"),
        ("{protocol: TCP}, {protocol: UDP}, {protocol: SCTP}", "all"),
    ],
)
def test_labels_fit_into_cells(ports: str, label: str) -> None:
    spec = f"{{podSelector: {{}}, ingress: [{{ports: [{ports}]}}]}}"
    mesh = mesh_of(namespace() + deployment("web") + policy("in", spec))
    document = report_document(MeshFlows(mesh.engine, mesh.built.overlay), "")
    cells = document["cells"]
    assert isinstance(cells, list)
    assert label in {cell["label"] for cell in cells}

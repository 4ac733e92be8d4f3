"""The page of `simulate -o html` in a real Chromium, from a file, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.analysis.simulate.pairs import pairs_of
from generator.analysis.simulate.report_page import report_page
from generator.analysis.simulate.simulation import simulate
from tests.browser import chromium
from tests.browser.chromium import Chromium, running_chromium
from tests.support.meshes import BuiltMesh
from tests.support.reports import HOSTILE, SHOP, shop_mesh, wide_mesh

CELL = """(from, to) => [...document.querySelectorAll("td.cell")]
    .find((td) => td.getAttribute("aria-label").startsWith(`${from} to ${to}: `))"""
DETAILS = "document.getElementById('details').innerText"
ROWS = """[...document.querySelectorAll("#table th[scope=row]")]
    .map((th) => th.innerText)"""
COLUMNS = ROWS.replace("row", "col")


def write_page(mesh: BuiltMesh, folder: Path) -> Path:
    page = folder / "report.html"
    page.write_text(report_page(mesh.engine, mesh.built.overlay))
    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(browser: Chromium, tmp_path: Path) -> Iterator[Chromium]:
    """The report of the small shop; whatever a test does, the page must stay quiet."""
    path = write_page(shop_mesh(), tmp_path)
    browser.open(path)
    yield browser
    assert browser.complaints == []
    assert browser.requests == [path.as_uri()]


def write_in(browser: Chromium, field: str, text: str) -> None:
    """Type into a filter and wait for what it does."""
    browser.ask(
        f"""(async () => {{
            const field = document.getElementById("{field}");
            field.value = {text!r};
            field.dispatchEvent(new Event("input"));
            await new Promise((done) => setTimeout(done, 300));
        }})()"""
    )


def click(browser: Chromium, source: str, destination: str) -> str:
    """Choose a cell and return what the details say."""
    browser.ask(f"({CELL})({source!r}, {destination!r}).click()")
    found = browser.ask(DETAILS)
    assert isinstance(found, str)
    return found


def test_it_loads_without_network_and_without_complaints(page: Chromium) -> None:
    """The fixture looks at requests and console; nothing else was loaded either."""
    assert page.ask("performance.getEntriesByType('resource').length") == 0
    assert page.ask("document.getElementById('summary').innerText") == (
        "4 workloads; 4 of 12 pairs may talk."
    )


def test_every_cell_says_what_simulate_says(page: Chromium) -> None:
    mesh = shop_mesh()
    found = pairs_of(simulate(mesh.engine, mesh.built.overlay))
    expected = {(p.source, p.destination): p for p in found}
    names = page.ask("NAMES")
    assert names == ["pay/ledger", "shop/cart", "shop/db", "shop/web"]
    for row, source in enumerate(names):
        for column, destination in enumerate(names):
            if row == column:
                continue
            cell = page.ask(f"flowOf({row}, {column}).cell")
            pair = expected.get((source, destination))
            assert cell["ports"] == (pair.ports if pair else "")
            requests = [(each["ports"], *each["http"]) for each in cell["byRequest"]]
            by_request = pair.by_request if pair else ()
            assert requests == [(each.ports, *each.rules) for each in by_request]
            outer = page.ask(f"({CELL})({source!r}, {destination!r}).className")
            assert (outer == "cell none") == (pair is None)


def test_search_filters_rows_and_columns(page: Chromium) -> None:
    everybody = ["addresses outside", "pay/ledger", "shop/cart", "shop/db", "shop/web"]
    assert page.ask(ROWS) == page.ask(COLUMNS) == everybody
    write_in(page, "from", "SHOP/ a")
    assert page.ask(ROWS) == ["shop/cart"]
    assert page.ask(COLUMNS) == everybody
    write_in(page, "from", "")
    write_in(page, "to", "db")
    assert page.ask(COLUMNS) == ["shop/db"]
    assert page.ask(ROWS) == everybody
    page.ask("document.getElementById('allowed-only').click()")
    write_in(page, "to", "db")
    assert page.ask(ROWS) == ["addresses outside", "shop/cart"]


def test_search_by_port(page: Chromium) -> None:
    write_in(page, "port", "5432")
    shown = page.ask(COLUMNS)
    assert "shop/db" in shown and "shop/cart" not in shown
    write_in(page, "port", "udp 53")
    assert "shop/cart" in page.ask(COLUMNS)
    write_in(page, "port", "udp 7070")
    assert "shop/cart" not in page.ask(COLUMNS)
    write_in(page, "port", "http")
    status = page.ask("document.getElementById('status').innerText")
    assert status == '"http" is not a port: write 8080, or udp 53.'


def test_a_cell_shows_rules_places_and_requests(page: Chromium) -> None:
    text = click(page, "shop/web", "shop/cart")
    assert "Allowed on TCP 9090, UDP 53" in text
    assert "OverlayPolicy/shop/cart-api/ingress/2" in text
    assert "NetworkPolicy" not in text
    assert f"GET,HEAD /cart/{{*}} x-team={HOSTILE}" in text
    assert "TCP 7071 by request" in text and "POST" in text
    assert "No policy isolates it in this direction." in text
    lines = [
        n for n, line in enumerate(SHOP.splitlines(), 1) if "protocol: UDP" in line
    ]
    assert f"test.yaml:{lines[0] - 1}" in text


def test_a_denied_cell_says_who_denies(page: Chromium) -> None:
    text = click(page, "shop/web", "pay/ledger")
    assert "Denied" in text
    assert "NetworkPolicy/pay/deny/ingress/default" in text
    assert "isolates the workload, and no rule allows this" in text
    assert "NetworkPolicy/shop/db/egress/default" in click(page, "shop/db", "shop/web")


def test_addresses_outside_have_their_ranges(page: Chromium) -> None:
    text = click(page, "addresses outside", "shop/db")
    assert "192.0.2.0-192.0.2.255" in text
    assert "NetworkPolicy/shop/db/ingress/1" in text
    assert "NetworkPolicy/shop/db/ingress/default" in text


def test_a_name_shows_all_its_flows(page: Chromium) -> None:
    page.ask(
        """[...document.querySelectorAll("th[scope=row] button")]
            .find((button) => button.innerText === "shop/db").click()"""
    )
    text = page.ask(DETAILS)
    assert "shop/cart \u2192 shop/db" in text
    assert "shop/web" not in text
    page.ask("document.querySelectorAll('#details .peers button')[1].click()")
    assert "Allowed on TCP 5432" in page.ask(DETAILS)


def test_the_matrix_is_usable_by_keyboard(page: Chromium) -> None:
    page.ask("document.querySelector('td.cell[tabindex=\"0\"]').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.press(key)
    label = page.ask("document.activeElement.getAttribute('aria-label')")
    assert label == "shop/cart to shop/db: TCP 5432"
    assert page.ask("document.querySelectorAll('td[tabindex=\"0\"]').length") == 1
    page.press("Enter")
    assert "Allowed on TCP 5432" in page.ask(DETAILS)


def test_the_graph_is_drawn(page: Chromium) -> None:
    page.ask("document.getElementById('graph-tab').click()")
    assert page.ask("document.querySelectorAll('#drawing .node').length") == 4
    assert page.ask("document.querySelectorAll('#drawing .edge').length") == 4
    assert page.ask("document.querySelector('#drawing svg').clientHeight") > 300
    assert page.ask("document.getElementById('matrix').hidden") is True
    page.ask(
        """[...document.querySelectorAll(".node")]
            .find((node) => node.getAttribute("aria-label").startsWith("shop/db"))
            .dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}))"""
    )
    assert page.ask("document.querySelectorAll('.edge.in').length") == 1
    assert page.ask("document.querySelectorAll('.edge.out').length") == 0
    assert "shop/cart \u2192 shop/db" in page.ask(DETAILS)


def test_same_mesh_same_picture(page: Chromium) -> None:
    page.ask("document.getElementById('graph-tab').click()")
    drawing = "document.getElementById('drawing').innerHTML"
    first = page.ask(drawing)
    page.ask("drawGraph()")
    assert page.ask(drawing) == first


def test_texts_are_never_code(page: Chromium) -> None:
    click(page, "shop/web", "shop/cart")
    assert page.ask("typeof hacked") == "undefined"
    assert page.ask("document.querySelectorAll('img').length") == 0
    assert page.ask("document.scripts.length") == 2


def test_dark_light_and_paper(page: Chromium) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    seen = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.call("Emulation.setEmulatedMedia", features=[feature])
        seen.append(page.ask(back))
    assert seen == ["rgb(251, 251, 249)", "rgb(21, 25, 28)"]
    page.call("Emulation.setEmulatedMedia", media="print")
    filters = "getComputedStyle(document.getElementById('filters')).display"
    assert (page.ask(back), page.ask(filters)) == ("rgb(255, 255, 255)", "none")


def test_the_page_may_not_load_anything(browser: Chromium, tmp_path: Path) -> None:
    """Even if something got into it: its policy forbids requests and other code."""
    browser.open(write_page(shop_mesh(), tmp_path))
    blocked = browser.ask(
        """(async () => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation",
                (event) => blocked.push(event.effectiveDirective));
            const image = document.createElement("img");
            image.src = "http://127.0.0.1:9/a.png";
            const script = document.createElement("script");
            script.textContent = "hacked = 1";
            document.body.append(image, script);
            await fetch("http://127.0.0.1:9/").catch(() => 0);
            await new Promise((done) => setTimeout(done, 300));
            return blocked.sort();
        })()"""
    )
    assert blocked == ["connect-src", "img-src", "script-src-elem"]
    assert browser.ask("typeof hacked") == "undefined"


def test_a_large_mesh_is_paged_and_drawn_by_namespace(
    browser: Chromium, tmp_path: Path
) -> None:
    browser.open(write_page(wide_mesh(130), tmp_path))
    assert browser.ask(f"{ROWS}.length") == 60
    pager = "document.getElementById('pager').innerText"
    assert "rows 1 to 60 of 131" in browser.ask(pager)
    browser.ask("document.querySelector('[aria-label=\"Next rows\"]').click()")
    assert "rows 61 to 120 of 131" in browser.ask(pager)
    browser.ask("document.getElementById('graph-tab').click()")
    assert browser.ask("document.querySelectorAll('.node').length") == 5
    note = browser.ask("document.getElementById('graph-note').innerText")
    assert note.startswith("130 workloads are too many to draw")
    write_in(browser, "from", "team-2/")
    write_in(browser, "to", "team-2/")
    assert browser.ask("document.querySelectorAll('.node').length") == 26
    assert browser.ask("document.querySelectorAll('.edge').length") == 25
    assert browser.complaints == []


def test_a_missing_chromium_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AssertionError, match="apt-get install chromium"):
        chromium.find_program()

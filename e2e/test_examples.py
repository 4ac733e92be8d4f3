"""Filters that anyone could have written, compiled by us, in a real Envoy."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.bystander import start_bystander
from e2e.envoy import RefusedToStart
from e2e.processes import Children, wait_until
from e2e.proxy import Plugin
from generator.compiler import compile_file

ROOT = Path(__file__).parent.parent


def example(name: str, folder: Path, configuration: str = "") -> Plugin:
    module = folder / f"{name}.wasm"
    source = ROOT / "filters" / "examples" / f"{name}.py"
    module.write_bytes(compile_file(source).to_bytes())
    return Plugin(module, configuration, name=name, root_id=name)


@pytest.mark.parametrize(("configuration", "value"), [("", "python"), ("us", "us")])
def test_add_header(
    configuration: str,
    value: str,
    family: Children,
    addresses: Addresses,
    tmp_path: Path,
) -> None:
    plugin = example("add_header", tmp_path, configuration)
    answer = start_bystander(family, addresses, tmp_path, plugin).get()
    assert answer.is_from_application
    assert answer.header("x-filtered-by") == value


def test_add_header_refuses_what_would_break_the_header(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    plugin = example("add_header", tmp_path, "two\nlines")
    with pytest.raises(RefusedToStart, match="add_header"):
        start_bystander(family, addresses, tmp_path, plugin)


def test_count_requests(family: Children, addresses: Addresses, tmp_path: Path) -> None:
    plugin = example("count_requests", tmp_path, "/cart/items\n/cart\n")
    bystander = start_bystander(family, addresses, tmp_path, plugin)
    for path in ("/cart", "/cart/items/7", "/cart/1?x=/pay", "/pay", "/"):
        assert bystander.get(path).is_from_application
    expected = {"/cart": 2, "/cart/items": 1, "other": 2}

    def counted() -> dict[str, int]:
        stats = bystander.envoy.admin("/stats?filter=requests_total").splitlines()
        pairs = (line.rpartition(": ") for line in stats)
        return {k.rpartition("requests_total.")[2]: int(v) for k, _, v in pairs}

    wait_until(lambda: counted() == expected, f"the counters to be {expected}")


def test_nothing_changes_nothing(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    plugin = example("nothing", tmp_path)
    bystander = start_bystander(family, addresses, tmp_path, plugin)
    assert bystander.get("/x", [("a", "1"), ("a", "2")]).application_headers("a") == [
        "1",
        "2",
    ]

"""What goes wrong ends in a denial: at the start, in the filter, in the module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.bystander import Bystander, start_bystander
from e2e.envoy import RefusedToStart
from e2e.processes import Children, wait_until
from e2e.proxy import Plugin
from e2e.shop_run import Shop
from generator.build import compile_filter
from generator.compiler import compile_file

GUESTS = Path(__file__).with_name("guests")
CHECKOUT = {"app": "checkout", "tier": "web"}


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


# --- rule tables ----------------------------------------------------------------------


def damaged_module(shop: Shop, damage: str) -> bytes:
    """Return the shop's module with something wrong about its table."""
    module, table = shop.product.built.module, shop.product.built.table_bytes
    start = module.index(table)
    match damage:
        case "absent":
            return compile_filter(b"")
        case "truncated":
            return compile_filter(table[:-4])
        case "newer":
            return flip(flip(module, start + 4), start + 5)
        case "bit flipped in a row":
            return flip(module, start + len(table) // 2)
        case _:
            return flip(module, start + len(table) - 1)


def shop_plugin(shop: Shop, module: Path) -> Plugin:
    endpoint = next(e for e in shop.endpoints if e.key == "payments/checkout")
    plugin = shop.product.plugin(endpoint, is_explicit=True)
    return replace(plugin, module=module)


@pytest.mark.parametrize(
    "damage",
    ["absent", "truncated", "newer", "bit flipped in a row", "bit flipped at the end"],
)
def test_a_damaged_table_stops_the_start(
    damage: str, shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    module = tmp_path / "damaged.wasm"
    module.write_bytes(damaged_module(shop, damage))
    with pytest.raises(RefusedToStart, match="rule table is missing, damaged or of"):
        start_bystander(family, addresses, tmp_path, shop_plugin(shop, module))


def test_a_damaged_table_from_a_control_plane_opens_nothing(
    shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    """With ECDS the listener opens without its filter: it must not serve."""
    module = tmp_path / "damaged.wasm"
    module.write_bytes(damaged_module(shop, "newer"))
    plugin = shop_plugin(shop, module)
    bystander = start_bystander(family, addresses, tmp_path, plugin, is_dynamic=True)
    assert bystander.get().code in (0, 500)


# --- plugin configurations ------------------------------------------------------------


@pytest.mark.parametrize(
    "damage", ["missing", "not JSON", "a short key", "another workload's"]
)
def test_a_bad_configuration_stops_the_start(
    damage: str, shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    plugin = shop_plugin(shop, shop.product.module)
    bundle = plugin.configuration.partition('"bundle":"')[2].partition('"')[0]
    fraud = next(e for e in shop.endpoints if e.key == "payments/fraud")
    configuration = {
        "missing": "",
        "not JSON": "bundle: " + bundle,
        "a short key": plugin.configuration.replace(bundle, bundle[:-4]),
        "another workload's": shop.product.plugin(fraud).configuration[:-1]
        + ","
        + plugin.configuration.partition(",")[2],
    }[damage]
    broken = replace(plugin, configuration=configuration)
    with pytest.raises(RefusedToStart, match="pepmesh: configuration refused"):
        start_bystander(family, addresses, tmp_path, broken)


def test_labels_that_the_table_does_not_know_mean_no_identity(
    shop: Shop, family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    endpoint = next(e for e in shop.endpoints if e.key == "payments/checkout")
    bystander = start_bystander(
        family, addresses, tmp_path, shop.product.plugin(endpoint), labels=CHECKOUT
    )
    answer = bystander.get()
    assert (answer.code, answer.body) == (403, b"pepmesh: denied: no_identity\n")
    assert "no identity: everything will be denied" in bystander.envoy.log_tail()


# --- guests that misbehave ------------------------------------------------------------


def guest(name: str, folder: Path) -> Plugin:
    module = folder / f"{name}.wasm"
    module.write_bytes(compile_file(GUESTS / f"{name}.py").to_bytes())
    return Plugin(module, name=name, root_id=name)


def details(bystander: Bystander, path: str) -> str:
    """Return what the access log says about the last request for `path`."""

    def found() -> list[str]:
        return [e.details for e in bystander.envoy.access_log() if e.path == path]

    wait_until(lambda: bool(found()), f"the access log to name {path}")
    return found()[-1]


def test_an_endless_loop_is_a_denial_and_the_worker_lives_on(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    plugin = guest("endless", tmp_path)
    bystander = start_bystander(family, addresses, tmp_path, plugin)
    assert bystander.get("/before").is_from_application
    assert bystander.get("/endless").code == 403
    assert details(bystander, "/endless") == "out_of_steps"
    assert bystander.get("/after").is_from_application


def test_a_trap_is_never_an_admission(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    plugin = guest("trap", tmp_path)
    bystander = start_bystander(family, addresses, tmp_path, plugin)
    assert bystander.get("/before").is_from_application
    assert bystander.get("/trap").code == 503
    assert details(bystander, "/trap") == "wasm_fail_stream"
    # FAIL_RELOAD: a new VM after a second; until then nothing passes
    wait_until(lambda: bystander.get("/after").is_from_application, "the new VM")

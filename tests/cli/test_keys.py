"""`pepmesh keys`: secrets are made once, handed out sparingly, and never shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from generator.overlay.bundle import Bundle, parse_bundle_text
from tests.support.cli import files_below, run
from tests.support.meshes import pod, policy

BUILD = ("build", "-f", "policies", "--out", "mesh.wasm")
BUNDLE = ("keys", "bundle", "-f", "policies")


@pytest.fixture
def keyed(shop: Path) -> Path:
    """A shop that is built and has master keys."""
    assert run(*BUILD).code == 0
    assert run("keys", "init").code == 0
    return shop


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def bundle_of(configuration: str) -> Bundle:
    return parse_bundle_text(json.loads(configuration)["bundle"])


# --- init ----------------------------------------------------------------------------


def test_init_makes_a_private_file_and_prints_no_secret(shop: Path) -> None:
    assert run(*BUILD, "--overlay", "shop").code == 0
    ran = run("keys", "init", "--lock", "overlay.lock.yaml", "--out", "m.yaml")
    assert (ran.code, ran.out) == (0, "")
    assert mode_of(shop / "m.yaml") == 0o600
    text = (shop / "m.yaml").read_text()
    assert 'name: "shop"' in text
    assert text.split('secret: "')[1].split('"')[0] not in ran.err


def test_init_never_overwrites(shop: Path) -> None:
    assert run("keys", "init").code == 0
    before = files_below(shop)
    ran = run("keys", "init")
    assert ran.code == 2 and "error[OVL0022]" in ran.err
    assert files_below(shop) == before


def test_init_finds_the_overlay(shop: Path) -> None:
    assert run(*BUILD, "--overlay", "found").code == 0
    assert run("keys", "init", "--out", "a.yaml").code == 0
    assert run("keys", "init", "--overlay", "named", "--out", "b.yaml").code == 0
    number = ("--overlay-id", "0123456789")
    assert run("keys", "init", *number, "--out", "c.yaml").code == 0
    assert 'name: "found"' in (shop / "a.yaml").read_text()
    assert 'name: "named"' in (shop / "b.yaml").read_text()
    assert 'name: "mesh", id: "0123456789"' in (shop / "c.yaml").read_text()
    both = run("keys", "init", "--lock", "overlay.lock.yaml", *number)
    assert both.code == 2 and "give it alone" in both.err


# --- bundle --------------------------------------------------------------------------


def test_bundles_hold_what_policy_allows(keyed: Path) -> None:
    """web may reach cart, by Service and directly; cart may reach web alone."""
    ran = run(*BUNDLE, "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["kind"] == "KeyBundles"
    rows = {row["owners"][0]: row for row in ran.document["workloads"]}
    assert set(rows) == {"shop/web", "shop/cart"}
    assert rows["shop/web"]["labels"] == {"app": "web"}
    web, cart = (bundle_of(rows[f"shop/{n}"]["configuration"]) for n in ("web", "cart"))
    assert web.workload_id == rows["shop/web"]["id"]
    to_cart = {row.target_id for row in cart.receive}
    to_web = {row.target_id for row in web.receive}
    assert (len(to_cart), len(to_web)) == (2, 1)
    assert {row.target_id for row in web.send} == to_cart | to_web
    assert not {row.target_id for row in cart.send} & to_cart


def test_bundles_as_files_are_private(keyed: Path) -> None:
    ran = run(*BUNDLE, "--out-dir", "bundles")
    assert (ran.code, ran.out) == (0, "")
    folder = keyed / "bundles"
    assert mode_of(folder) == 0o700
    assert {p.name: mode_of(p) for p in folder.iterdir()} == {
        "shop.cart.json": 0o600,
        "shop.web.json": 0o600,
    }
    document = run(*BUNDLE, "-o", "json", "--workload", "shop/web").document
    (row,) = document["workloads"]
    assert (folder / "shop.web.json").read_text() == row["configuration"]
    (folder / "shop.web.json").chmod(0o644)
    assert run(*BUNDLE, "--out-dir", "bundles").code == 0
    assert mode_of(folder / "shop.web.json") == 0o600


def test_an_owner_of_two_workloads_has_two_files(shop: Path) -> None:
    (shop / "policies" / "more.yaml").write_text(
        pod("set-0", owner="set", labels="{role: reader}")
        + pod("set-1", owner="set", labels="{role: writer}")
        + policy("role", "{podSelector: {matchLabels: {role: reader}}}")
    )
    assert run(*BUILD).code == 0
    assert run("keys", "init").code == 0
    assert run(*BUNDLE, "--out-dir", "b", "--workload", "shop/set").code == 0
    names = sorted(path.name for path in (shop / "b").iterdir())
    assert len(names) == 2
    assert all(name.startswith("shop.set_") for name in names)
    ran = run(*BUNDLE, "-o", "json", "--workload", "shop/set", "--address", "10.0.0.1")
    assert ran.code == 2 and "several workloads" in ran.err


def test_an_endpoint_outside_kubernetes_is_told_who_it_is(keyed: Path) -> None:
    one = ("--workload", "shop/web", "--address", "10.0.0.7", "--direction", "inbound")
    (row,) = run(*BUNDLE, "-o", "json", *one).document["workloads"]
    configuration = json.loads(row["configuration"])
    assert configuration["direction"] == "inbound"
    assert not {"sourceAddress", "keyMode"} & configuration.keys()
    assert configuration["endpoint"] == {
        "address": "10.0.0.7",
        "labels": {"app": "web"},
        "namespace": "shop",
        "serviceAccount": "default",
    }


@pytest.mark.parametrize(
    "options, message",
    [
        ((), "give --out-dir DIR or -o json"),
        (("-o", "json", "--out-dir", "b"), "give --out-dir DIR or -o json"),
        (("-o", "json", "--address", "10.0.0.1"), "--address needs --workload"),
        (("-o", "json", "--key-mode", "loose"), "--key-mode"),
        (("-o", "json", "--workload", "shop/wbe"), "did you mean shop/web?"),
        (("-o", "json", "--workload", "shop/web", "--address", "x"), "--address"),
        (("-o", "json", "--keys", "none.yaml"), "error[INP0001]: none.yaml"),
        (("-o", "json", "--lock", "none.yaml"), "error[INP0001]: none.yaml"),
    ],
)
def test_bad_questions(keyed: Path, options: tuple[str, ...], message: str) -> None:
    before = files_below(keyed)
    ran = run(*BUNDLE, *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert files_below(keyed) == before


def test_the_lock_file_must_be_up_to_date(keyed: Path) -> None:
    """Ids that no lock file holds would be given to somebody else by the next build."""
    (keyed / "policies" / "more.yaml").write_text(pod("new", labels="{app: new}"))
    ran = run(*BUNDLE, "-o", "json")
    assert (ran.code, ran.out) == (2, "")
    assert "error[RUN0013]: overlay.lock.yaml" in ran.err
    assert "run `pepmesh build`" in ran.err


def test_master_keys_of_another_overlay_are_refused(keyed: Path) -> None:
    assert run("keys", "init", "--overlay", "other", "--out", "other.yaml").code == 0
    ran = run(*BUNDLE, "--keys", "other.yaml", "-o", "json")
    assert (ran.code, ran.out) == (2, "")
    assert "error[OVL0023]" in ran.err


def test_inputs_are_never_overwritten(keyed: Path) -> None:
    (keyed / "b").mkdir(mode=0o700)
    (keyed / "master-keys.yaml").rename(keyed / "b" / "shop.web.json")
    before = files_below(keyed)
    ran = run(*BUNDLE, "--keys", "b/shop.web.json", "--out-dir", "b")
    assert ran.code == 2 and "error[RUN0014]" in ran.err
    assert files_below(keyed) == before


def test_revoked_workloads_get_no_keys(keyed: Path) -> None:
    lock = keyed / "overlay.lock.yaml"
    label = '"labels": {"app": "web"}, '
    lock.write_text(lock.read_text().replace(label, label + '"revoked": true, '))
    ran = run(*BUNDLE, "-o", "json")
    assert ran.code == 0
    assert [row["owners"] for row in ran.document["workloads"]] == [["shop/cart"]]
    assert "warning[RUN0015]" in ran.err
    ran = run(*BUNDLE, "-o", "json", "--workload", "shop/web")
    assert (ran.code, ran.out) == (2, "")
    assert "error[OVL0031]" in ran.err


@pytest.mark.parametrize("damage", ["secret: x", "id: 1, secret:", "keys"])
def test_a_broken_master_key_file_is_not_quoted(keyed: Path, damage: str) -> None:
    path = keyed / "master-keys.yaml"
    text = path.read_text()
    secret = text.split('secret: "')[1].split('"')[0]
    broken = {
        "secret: x": text.replace(secret, secret[:-8]),
        "id: 1, secret:": text.replace('secret: "', 'secret: "\n'),
        "keys": text.replace("keys:", "kyes:"),
    }[damage]
    path.write_text(broken)
    ran = run(*BUNDLE, "-o", "json")
    assert (ran.code, ran.out) == (2, "")
    assert "master-keys.yaml" in ran.err and "error[OVL" in ran.err
    assert secret[:10] not in ran.err


def test_more_keys_than_a_filter_has_room_for_are_refused(keyed: Path) -> None:
    """Envoy would refuse the update that comes after, and keep old keys until then."""
    ran = run(*BUNDLE, "-o", "json", "--max-keys", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "error[OVL0032]: shop/web (workload" in ran.err
    assert "has 4 keys, more than the 1 that its filter has room for" in ran.err
    assert "type --max-keys 4 here and when you build" in ran.err
    assert run(*BUNDLE, "-o", "json", "--max-keys", "4").code == 0


@pytest.mark.parametrize("mode", ["permissive", "strict"])
def test_strict_keys_are_asked_for(keyed: Path, mode: str) -> None:
    for row in run(*BUNDLE, "-o", "json", "--key-mode", mode).document["workloads"]:
        assert json.loads(row["configuration"])["keyMode"] == mode


def test_gateways_may_hide_addresses(keyed: Path) -> None:
    """Asked for only, since a stolen proof is then good anywhere for a minute."""
    for row in run(*BUNDLE, "-o", "json", "--any-source-address").document["workloads"]:
        assert json.loads(row["configuration"])["sourceAddress"] == "any"

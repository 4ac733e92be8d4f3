"""`pepmesh build` and `pepmesh inspect`."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from generator.analysis.engine import Engine
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.module import PAGE_BYTES
from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import files_below, run
from tests.support.meshes import deployment, namespace, policy

BUILD = ("build", "-f", "policies", "--out", "mesh.wasm")


def test_build_writes_module_and_lock_file(shop: Path) -> None:
    ran = run(*BUILD)
    assert (ran.code, ran.err) == (0, "")
    assert {p.name for p in shop.iterdir()} == {
        "policies",
        "mesh.wasm",
        "overlay.lock.yaml",
    }
    assert Engine((shop / "mesh.wasm").read_bytes()).table.workloads
    for word in ("PART", "code", "table subjects", "1 policies, 2 rules, 2 workloads"):
        assert word in ran.out
    assert "sha256:" in ran.out and "NetworkPolicy shop/cart-in" in ran.out


def test_build_in_json(shop: Path) -> None:
    document = run(*BUILD, "-o", "json").document
    module = (shop / "mesh.wasm").read_bytes()
    assert document["kind"] == "Build"
    assert document["moduleBytes"] + document["tableBytes"] == len(module)
    assert document["moduleBytes"] <= 48 * 1024
    assert sum(document["sections"].values()) == document["tableBytes"]
    assert document["counts"]["workloads"] == 2
    assert (document["overlay"], document["lock"]) == ("mesh", "overlay.lock.yaml")


def test_same_manifests_same_bytes_whatever_the_order(shop: Path) -> None:
    assert run(*BUILD).code == 0
    first = files_below(shop)
    assert run(*BUILD).code == 0
    assert files_below(shop) == first
    (shop / "overlay.lock.yaml").unlink()
    swapped = ("-f", "policies/policies.yaml", "-f", "./policies/inventory.yaml")
    assert run("build", *swapped, "--out", "mesh.wasm").code == 0
    assert files_below(shop) == first
    absolute = ("-f", shop / "policies", "-f", "policies/policies.yaml")
    assert run("build", *absolute, "--out", "mesh.wasm").code == 0
    assert files_below(shop) == first


def test_order_within_a_file_does_not_matter(shop: Path) -> None:
    """Lines move with the documents, so compare what does not name them."""
    first = run(*BUILD, "-o", "json").document
    documents = INVENTORY.split("---\n")
    (shop / "policies" / "inventory.yaml").write_text("---\n".join(documents[::-1]))
    (shop / "overlay.lock.yaml").unlink()
    assert run(*BUILD, "-o", "json").document == first


def test_a_lock_file_keeps_its_numbers(shop: Path) -> None:
    assert run(*BUILD).code == 0
    before = inspect(shop)
    more = shop / "policies" / "more.yaml"
    more.write_text(deployment("ads"))
    assert run(*BUILD).code == 0
    after = inspect(shop)
    assert {**after, **before} == after
    assert set(after) - set(before) == {"shop/ads"}


def inspect(folder: Path) -> dict[str, int]:
    document = run("inspect", folder / "mesh.wasm", "-o", "json").document
    return {row["owners"][0]: row["id"] for row in document["workloads"]}


def test_names_of_overlays(shop: Path) -> None:
    """A lock file knows its overlay; another name is another overlay."""
    assert run(*BUILD, "--overlay", "shop", "--overlay-id", "00000000ff").code == 0
    document = run("inspect", "mesh.wasm", "-o", "json").document
    assert document["overlayId"] == "00000000ff"
    assert run(*BUILD, "-o", "json").document["overlay"] == "shop"


def test_member_ranges_get_into_the_table(shop: Path) -> None:
    assert run(*BUILD, "--member-cidr", "10.0.0.0/8").code == 0
    table = Engine((shop / "mesh.wasm").read_bytes()).table
    assert table.member_blocks == ((0, False), (10 << 24, True), (11 << 24, False))


def test_a_module_has_room_for_the_keys_that_were_asked_for(shop: Path) -> None:
    """Each key is there twice, and once as text; the code is the same but for that."""
    assert run(*BUILD).code == 0
    usual = (shop / "mesh.wasm").read_bytes()
    assert run(*BUILD, "--max-keys", "768").code == 0
    assert (shop / "mesh.wasm").read_bytes() == usual
    assert run(*BUILD, "--max-keys", "3000").code == 0
    more = memory_bytes((shop / "mesh.wasm").read_bytes()) - memory_bytes(usual)
    wanted = (3000 - 768) * (2 * 40 + 40 * 4 / 3)
    assert abs(more - wanted) < PAGE_BYTES


def memory_bytes(module: bytes) -> int:
    return len(WasmGuest(module, Host()).memory)


def test_standard_input_and_subfolders(shop: Path) -> None:
    deep = shop / "policies" / "deep"
    deep.mkdir()
    (deep / "more.yaml").write_text(deployment("ads"))
    assert run(*BUILD, "-R", "-o", "json").document["counts"]["workloads"] == 3
    (shop / "overlay.lock.yaml").unlink()
    ran = run("build", "-f", "-", "--out", "x.wasm", "-o", "json", given=INVENTORY)
    assert ran.document["counts"] == {
        "policies": 0,
        "rules": 0,
        "subjects": 0,
        "targets": 3,
        "workloads": 1,
    }


def test_files_keep_their_rights_and_links_stay_links(shop: Path) -> None:
    real = shop / "real.wasm"
    real.write_bytes(b"old")
    real.chmod(0o640)
    (shop / "mesh.wasm").symlink_to(real)
    assert run(*BUILD).code == 0
    assert (shop / "mesh.wasm").is_symlink()
    assert real.read_bytes().startswith(b"\0asm")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


# --- inspect -----------------------------------------------------------------------


@pytest.fixture
def inspected(shop: Path) -> Any:
    text = (
        namespace("ops")
        + deployment("probe", namespace="ops")
        + policy(
            "mixed",
            "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], "
            "ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}]}, {from: "
            "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}, "
            "{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9]}}, {ipBlock: {cidr: "
            "'2001:db8::/32'}}]}, {ports: [{port: 90, endPort: 99}, {port: 53, "
            "protocol: UDP}]}]}",
        )
    )
    (shop / "policies" / "more.yaml").write_text(text)
    assert run(*BUILD).code == 0
    return run("inspect", "mesh.wasm", "-o", "json").document


def test_inspect_reads_rules_back(inspected: Any) -> None:
    assert inspected["kind"] == "Inspection"
    assert inspected["labelKeys"] == ["app"]
    names = [rule["name"] for rule in inspected["rules"]]
    assert names[:2] == [
        "NetworkPolicy/shop/cart-in/ingress/0",
        "NetworkPolicy/shop/cart-in/ingress/default",
    ]
    assert inspected["rules"][0]["file"] == "policies/policies.yaml"
    assert [rule["isDefault"] for rule in inspected["rules"]].count(True) == 3
    assert sum(inspected["sections"].values()) == inspected["tableBytes"]


def test_inspect_says_who_may_reach_whom(inspected: Any) -> None:
    rows = {row["owners"][0]: row for row in inspected["workloads"]}
    assert rows["shop/cart"]["namespace"] == "shop"
    assert rows["shop/cart"]["revoked"] is False
    assert rows["shop/cart"]["egress"] == {
        "isolatedBy": None,
        "allows": [
            {
                "peer": "anyone",
                "ports": {p: [[1, 65535]] for p in ("TCP", "UDP", "SCTP")},
                "requests": None,
                "rule": None,
                "place": None,
            }
        ],
    }
    (allowed,) = rows["shop/cart"]["ingress"]["allows"]
    assert allowed == {
        "peer": "shop/web",
        "ports": {"TCP": [[8080, 8080]]},
        "requests": None,
        "rule": "NetworkPolicy/shop/cart-in/ingress/0",
        "place": f"policies/policies.yaml:{line_of('ingress:', POLICIES)}",
    }
    peers = {row["peer"]: row["ports"] for row in rows["shop/web"]["ingress"]["allows"]}
    everything = {p: [[1, 65535]] for p in ("TCP", "UDP", "SCTP")}
    ranges = {"TCP": [[90, 99]], "UDP": [[53, 53]]}
    assert peers["namespace ops"] == everything
    assert peers["10.128.0.0-10.255.255.255"] == everything
    assert peers["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"] == everything
    assert peers["addresses outside"] == ranges
    assert rows["shop/web"]["egress"] == {
        "isolatedBy": "NetworkPolicy/shop/mixed/egress/default",
        "allows": [],
    }


def line_of(word: str, text: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if word in line)


def test_inspect_as_a_table(inspected: Any) -> None:
    lines = run("inspect", "mesh.wasm").out.splitlines()
    header = "WORKLOAD ACTION FROM PORTS REQUESTS RULE PLACE"
    assert lines[0].split() == header.split()
    rows = [" ".join(line.split()) for line in lines]
    assert any(row.startswith("shop/cart Accept shop/web TCP 8080 -") for row in rows)
    assert any(row.startswith("shop/cart Deny everybody else all") for row in rows)
    assert any(row.startswith("shop/web Deny anyone all ports") for row in rows)
    assert any(row.startswith("ops/probe Accept anyone all ports") for row in rows)
    assert lines[-1] == inspected["digest"]


def test_inspect_shows_tiers_and_requests(shop: Path) -> None:
    """Also for workloads that nobody isolates."""
    (shop / "policies" / "more.yaml").write_text(OVERLAY_POLICIES)
    assert run(*BUILD).code == 0
    rows = [
        " ".join(line.split()) for line in run("inspect", "mesh.wasm").out.split("\n")
    ]
    denied = "shop/web Deny shop/cart TCP 80 GET or HEAD /admin at *.example; POST"
    assert any(row.startswith(denied) for row in rows), rows
    document = run("inspect", "mesh.wasm", "-o", "json").document
    (web,) = (r for r in document["workloads"] if r["owners"] == ["shop/web"])
    asks = [allow["requests"] for allow in web["ingress"]["allows"]]
    assert asks == [["GET or HEAD /admin at *.example", "POST"], None]


OVERLAY_POLICIES = """\
apiVersion: v1
kind: Namespace
metadata: {name: pepmesh-system}
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: guard, namespace: pepmesh-system}
spec:
  tier: Admin
  priority: 1
  subject:
    pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}
  ingress:
  - action: Deny
    from:
    - pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: cart}}}
    ports: [{port: 80}]
    http:
    - {methods: [GET, HEAD], paths: [{exact: /admin}], hosts: ["*.example"]}
    - {methods: [POST]}
"""


def test_inspect_keeps_namespaces_apart(shop: Path) -> None:
    """A selector of one namespace means no pod of another, whatever their labels."""
    (shop / "policies" / "more.yaml").write_text(
        namespace("ops")
        + deployment("web", namespace="ops")
        + deployment("cart", namespace="ops")
        + policy(
            "web-in",
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: "
            "[{podSelector: {matchLabels: {app: cart}}}]}]}",
            namespace="ops",
        )
    )
    assert run(*BUILD).code == 0
    document = run("inspect", "mesh.wasm", "-o", "json").document
    peers = {
        row["owners"][0]: [allow["peer"] for allow in row["ingress"]["allows"]]
        for row in document["workloads"]
    }
    assert peers == {
        "ops/cart": ["anyone"],
        "ops/web": ["ops/cart"],
        "shop/cart": ["shop/web"],
        "shop/web": ["anyone"],
    }


def test_inspect_marks_revoked_workloads(shop: Path) -> None:
    assert run(*BUILD).code == 0
    lock = shop / "overlay.lock.yaml"
    text = lock.read_text()
    assert '"labels": {"app": "web"}, ' in text
    lock.write_text(
        text.replace(
            '"labels": {"app": "web"}, ', '"labels": {"app": "web"}, "revoked": true, '
        )
    )
    assert run(*BUILD).code == 0
    assert "shop/web (revoked)" in run("inspect", "mesh.wasm").out

"""`pepmesh explain`, `simulate`, `version`: results, forms and exit codes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import Ran, run
from tests.support.meshes import pod, policy

BUILD = ("build", "-f", "policies", "--out", "mesh.wasm")


def explain(source: str, destination: str, port: int | str, *more: str) -> Ran:
    flow = ("--from", source, "--to", destination, "--port", str(port))
    return run("explain", "-f", "policies", *flow, *more)


# --- explain -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "flow, expect, code",
    [
        (("shop/web", "shop/cart", 8080), None, 0),
        (("shop/web", "shop/cart", 8081), None, 1),
        (("shop/web", "shop/cart", 8080), "allow", 0),
        (("shop/web", "shop/cart", 8080), "deny", 1),
        (("shop/web", "shop/cart", 8081), "allow", 1),
        (("shop/web", "shop/cart", 8081), "deny", 0),
        (("shop/wep", "shop/cart", 8080), None, 2),
        (("shop/wep", "shop/cart", 8080), "deny", 2),
        (("shop/web", "shop/cart", "no-such"), "deny", 2),
        (("10.1.1.1", "shop/cart", 8080), None, 1),
        (("shop/web", "192.0.2.1", 443), None, 0),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_exit_codes(
    shop: Path, flow: tuple[str, str, int], expect: str | None, code: int, form: str
) -> None:
    """The same for every form of output."""
    more = ("--expect", expect) if expect else ()
    ran = explain(*flow, "-o", form, *more)
    assert ran.code == code
    assert bool(ran.out) == (code != 2)
    assert bool(ran.err) == (code == 2)


def test_a_mixed_answer_is_a_no(shop: Path) -> None:
    mixed = (
        pod("set-0", owner="set", labels="{role: reader}")
        + pod("set-1", owner="set", labels="{role: writer}")
        + policy(
            "readers",
            "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: "
            "{matchLabels: {role: reader}}}]}]}",
        )
    )
    (shop / "policies" / "mixed.yaml").write_text(mixed)
    for more in ((), ("--expect", "deny"), ("--expect", "allow")):
        assert explain("shop/set", "shop/web", 80, *more).code == 1
    ran = explain("shop/set", "shop/web", 80, "-o", "json")
    assert ran.document["verdict"] == "MIXED"
    assert len(ran.document["flows"]) == 2
    assert "warning[POL0023]" in ran.err


def test_text_and_json_say_the_same(shop: Path) -> None:
    text = explain("shop/web", "shop/cart", 8081).out
    document = explain("shop/web", "shop/cart", 8081, "-o", "json").document
    assert document["kind"] == "Explanation"
    assert document["ingress"]["text"] in text
    assert f"{document['ingress']['file']}:{document['ingress']['line']}" in text
    assert document["reason"] in text


def test_protocol_is_read_in_any_case(shop: Path) -> None:
    ran = explain("shop/web", "shop/cart", 8080, "--protocol", "udp")
    assert ran.code == 1
    assert "UDP 8080: DENY" in ran.out


def test_a_module_answers_for_itself(shop: Path) -> None:
    """The deployed bytes are asked, although the policy has changed since."""
    assert run(*BUILD).code == 0
    (shop / "policies" / "policies.yaml").write_text(POLICIES.replace("http", "8443"))
    module = ("--module", "mesh.wasm", "--lock", "overlay.lock.yaml")
    assert explain("shop/web", "shop/cart", 8080).code == 1
    assert explain("shop/web", "shop/cart", 8080, *module).code == 0


def test_nothing_is_told_that_the_module_does_not_do(shop: Path) -> None:
    """Its manifests have other policies: they do not explain its answer."""
    assert run(*BUILD).code == 0
    (shop / "policies" / "policies.yaml").write_text(POLICIES.replace("http", "8443"))
    module = ("--module", "mesh.wasm", "--lock", "overlay.lock.yaml")
    ran = explain("shop/web", "shop/cart", 8080, *module, "-o", "json")
    assert ran.document["ingress"]["trace"] is None
    assert ran.document["ingress"]["rule"] == "NetworkPolicy/shop/cart-in/ingress/0"
    assert ran.document["egress"]["trace"]
    (note,) = ran.document["notes"]
    assert note.startswith("The module was built from other policies")


def test_a_module_of_other_workloads_is_refused(shop: Path) -> None:
    assert run(*BUILD).code == 0
    inventory = shop / "policies" / "inventory.yaml"
    inventory.write_text(INVENTORY.replace("app: web", "app: www"))
    ran = explain("shop/web", "shop/cart", 8080, "--module", "mesh.wasm")
    assert (ran.code, ran.out) == (2, "")
    assert "error[RUN0012]: mesh.wasm has other workloads" in ran.err


def test_nothing_is_written_by_a_question(shop: Path) -> None:
    explain("shop/web", "shop/cart", 8080)
    run("simulate", "-f", "policies")
    assert [path.name for path in shop.iterdir()] == ["policies"]


API = """
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: web-api, namespace: shop}
spec:
  subject: {pods: {podSelector: {matchLabels: {app: web}}}}
  ingress:
  - from: [{pods: {podSelector: {}}}]
    http:
    - {methods: [GET], paths: [{exact: /}]}
    - {methods: [PUT], hosts: [x.example], headers: [{name: x-a, exact: b}]}
"""


PUT = ("--method", "PUT", "--host", "x.example")


@pytest.mark.parametrize(
    "options, code, what",
    [
        ((), 1, "TCP 80"),
        (("--http",), 0, "TCP 80, GET /"),
        (("--method", "GET"), 0, "TCP 80, GET /"),
        (("--path", "//"), 0, "TCP 80, GET //"),
        (("--path", ""), 1, "TCP 80, GET "),
        (("--header", "x-a:b"), 0, "TCP 80, GET /"),
        (("--host", "x.example"), 0, "TCP 80, GET /"),
        (("--method", "PUT"), 1, "TCP 80, PUT /"),
        (
            (*PUT, "--header", "X-A=b"),
            0,
            "TCP 80, PUT /",
        ),
        (
            (*PUT, "--header", "x-a:b", "--header", "x-a:c"),
            1,
            "TCP 80, PUT /",
        ),
        (("--path", "/%2f", "--expect", "deny"), 0, "TCP 80, GET /%2f"),
    ],
)
def test_any_option_about_requests_makes_it_one(
    shop: Path, options: tuple[str, ...], code: int, what: str
) -> None:
    (shop / "policies" / "api.yaml").write_text(API)
    ran = explain("shop/cart", "shop/web", 80, *options)
    assert ran.code == code, ran.err
    assert ran.out.startswith(f"shop/cart -> shop/web, {what}: ")


@pytest.mark.parametrize(
    "options, code",
    [
        (("--http", "--proto", "udp"), "RUN0016"),
        (("--header", "x-a"), "RUN0018"),
        (("--method", "G T"), "RUN0018"),
        (("--from", "user:alice"), "RUN0017"),
        (("--to", "sts/web", "-n", "shop"), "RUN0019"),
    ],
)
def test_questions_that_cannot_be(
    shop: Path, options: tuple[str, ...], code: str
) -> None:
    """The last of an option that is given twice counts."""
    ran = explain("shop/cart", "shop/web", 80, *options, "--expect", "deny")
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err


def test_names_in_a_namespace(shop: Path) -> None:
    plain = explain("shop/web", "shop/cart", 8080)
    assert explain("deploy/web", "cart", 8080, "-n", "shop") == plain
    ran = explain("web", "svc/cart", 80, "--namespace", "shop")
    assert ran.code == 0
    assert ran.out.startswith("shop/web -> Service shop/cart, TCP 80: ALLOW")


def test_wide_shows_the_tiers(shop: Path) -> None:
    plain = explain("shop/web", "shop/cart", 8081)
    wide = explain("shop/web", "shop/cart", 8081, "-o", "wide")
    assert wide.code == plain.code == 1
    assert set(plain.out.splitlines()) < set(wide.out.splitlines())
    assert "\n    Normal   NetworkPolicy shop/cart-in: isolates shop/cart; " in wide.out
    assert "Normal" not in plain.out
    assert (
        "\n  nearly            NetworkPolicy shop/cart-in ingress[0]: port 8081 is not "
        "http (8080 at shop/cart) (policies/policies.yaml:" in plain.out
    )


def test_an_explanation_in_json_has_these_keys(shop: Path) -> None:
    document = explain("shop/web", "shop/cart", 8081, "-o", "json").document
    (flow,) = document["flows"]
    shared = {"audit", "egress", "ingress", "overHttp", "reason", "rule", "verdict"}
    ends = {"source", "destination", "port"}
    assert set(flow) == shared | ends
    assert set(document) == shared | ends | {
        "apiVersion",
        "kind",
        "digest",
        "flows",
        "notes",
        "protocol",
        "request",
    }
    side = document["ingress"]
    facts = {"verdict", "rule", "file", "line", "text"}
    assert set(side) == facts | {"trace", "nearMisses"}
    assert set(side["trace"][0]) == {
        "tier",
        "effect",
        "policy",
        "rule",
        "place",
        "text",
    }
    assert set(side["nearMisses"][0]) == {"rule", "place", "conditions", "text"}


# --- simulate ------------------------------------------------------------------------


def test_simulate_in_json(shop: Path) -> None:
    ran = run("simulate", "-f", "policies", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.document) == {"apiVersion", "kind", "connections"}
    assert ran.document["connections"][0] == {
        "source": "0.0.0.0-255.255.255.255",
        "destination": "shop/web",
        "protocol": "SCTP",
        "ports": [[1, 65535]],
    }
    assert {
        "source": "shop/web",
        "destination": "shop/cart",
        "protocol": "TCP",
        "ports": [[8080, 8080]],
    } in ran.document["connections"]


def test_simulate_as_table_and_csv(shop: Path) -> None:
    table = run("simulate", "-f", "policies").out.splitlines()
    rows = list(
        csv.reader(io.StringIO(run("simulate", "-f", "policies", "-o", "csv").out))
    )
    assert table[0].split() == ["SOURCE", "DESTINATION", "PROTOCOL", "PORTS"]
    assert rows[0] == ["source", "destination", "protocol", "ports", "http"]
    assert [[*line.split(), ""] for line in table[1:]] == rows[1:]
    assert ["shop/web", "shop/cart", "TCP", "8080", ""] in rows
    assert len({line.index("TCP") for line in table if "TCP" in line}) == 1


def test_simulate_asks_a_module_and_a_lock_file(shop: Path) -> None:
    assert run(*BUILD).code == 0
    lock = ("--lock", "overlay.lock.yaml")
    plain = run("simulate", "-f", "policies").out
    assert run("simulate", "-f", "policies", *lock).out == plain
    assert (
        run("simulate", "-f", "policies", *lock, "--module", "mesh.wasm").out == plain
    )


def test_no_flows_at_all_is_an_answer(shop: Path) -> None:
    deny = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
    (shop / "policies" / "policies.yaml").write_text(policy("deny", deny))
    ran = run("simulate", "-f", "policies")
    assert (ran.code, ran.out.split()) == (
        0,
        ["SOURCE", "DESTINATION", "PROTOCOL", "PORTS"],
    )
    assert run("simulate", "-f", "policies", "-o", "json").document["connections"] == []


# --- version -------------------------------------------------------------------------


def test_version() -> None:
    assert run("version").out.startswith("pepmesh ")
    document = run("version", "-o", "json").document
    assert document["kind"] == "Version" and document["proxyWasmAbi"] == "0.2.1"
    assert document["pepmesh"] in run("version").out


def test_audited_and_effective_verdict_side_by_side(shop: Path) -> None:
    """A policy that is only audited denies nothing, and explain says what it would."""
    text = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {name: tomorrow, namespace: shop, annotations: {pepmesh.dev/mode: audit}}
spec: {podSelector: {}}
"""
    flow = ("--from", "shop/cart", "--to", "shop/web", "--port", "80")
    (found,) = run("explain", "-f", "policies", *flow, "-o", "json").document["flows"]
    assert (found["verdict"], found["audit"]) == ("ALLOW", None)
    (shop / "policies" / "tomorrow.yaml").write_text(text)
    ran = run("explain", "-f", "policies", *flow)
    assert ran.code == 0
    assert "With audited policies enforced it would be DENY" in ran.out
    (found,) = run("explain", "-f", "policies", *flow, "-o", "json").document["flows"]
    assert found["verdict"] == "ALLOW"
    assert found["audit"] == {
        "verdict": "DENY",
        "rule": "NetworkPolicy/shop/tomorrow/ingress/default",
        "place": "policies/tomorrow.yaml:5",
    }

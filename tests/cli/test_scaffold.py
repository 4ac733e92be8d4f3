"""`pepmesh scaffold`: what it writes loads, and its tests pass as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from generator.scaffold.flow_yaml import block, flow
from generator.scaffold.starter import KINDS, PARTS
from tests.support.cli import Ran, files_below, run
from tests.support.meshes import deployment, namespace, pod, policy

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "e2e" / "shop"
FILES = ["cart-policy.yaml", "cart-traffic.yaml", "cart_test.yaml"]
NOTE = "# Not as this starter means it: "


def scaffold(*arguments: str | Path) -> Ran:
    ran = run("scaffold", *arguments)
    assert "internal error" not in ran.err
    return ran


def cases_of(path: Path) -> dict[str, dict[str, object]]:
    """The cases of a test file by name."""
    return {case["name"]: case for case in yaml.safe_load(path.read_text())["cases"]}


# --- the result works as it is --------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_works_as_it_is(kind: str) -> None:
    text = scaffold("all", "--kind", kind).out
    ran = run("test", "-f", "-", "--min-coverage", "90", given=text)
    assert (ran.code, ran.err) == (0, "")
    assert ": all pass\n" in ran.out
    assert NOTE not in text
    assert "$" not in text
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    assert kinds[-3:] == [kind, "PolicyTest", "Traffic"]


@pytest.mark.parametrize(
    "kind, workload",
    [
        ("NetworkPolicy", "shop/cart"),
        ("NetworkPolicy", "ops/dns"),
        ("ClusterNetworkPolicy", "payments/ledger"),
        ("OverlayPolicy", "ops/status-page"),
    ],
)
def test_starters_for_a_real_mesh_work_as_they_are(
    tmp_path: Path, kind: str, workload: str
) -> None:
    """Other policies of the mesh have their say, and the cases know about it."""
    asked = ("-f", SHOP, "--for", workload, "--kind", kind)
    ran = scaffold("all", *asked, "--out-dir", tmp_path / "new")
    assert (ran.code, ran.err) == (0, "")
    files = [Path(line) for line in ran.out.splitlines()]
    assert files == sorted((tmp_path / "new").iterdir(), key=files.index)
    policies = [path for path in SHOP.glob("*.yaml") if "_test" not in path.name]
    given = [a for path in [*policies, *files] for a in ("-f", path)]
    ran = run("test", *given)
    assert (ran.code, ran.err) == (0, "")
    assert "in 1 file: all pass\n" in ran.out
    traffic = next(path for path in files if "traffic" in path.name)
    ran = run("simulate", *given, "--traffic", traffic, "-o", "csv")
    flows = yaml.safe_load(traffic.read_text())["flows"]
    assert len(ran.out.splitlines()) == len(flows) + 1, ran.err


@pytest.mark.parametrize("kind", KINDS)
def test_linting_finds_no_fault_in_a_starter(kind: str, tmp_path: Path) -> None:
    scaffold("all", "--kind", kind, "--out-dir", tmp_path)
    ran = run("validate", "-f", tmp_path)
    assert (ran.code, "error[" in ran.err + ran.out) == (0, False)


# --- what a starter is about ----------------------------------------------------------


def test_a_starter_has_the_labels_and_ports_of_its_workload(tmp_path: Path) -> None:
    asked = ("-f", SHOP, "--for", "payments/checkout", "--out-dir", tmp_path)
    scaffold("policy", *asked)
    (path,) = tmp_path.iterdir()
    found = yaml.safe_load(path.read_text())
    # there is a policy of the workload's name already
    assert found["metadata"] == {"name": "checkout-2", "namespace": "payments"}
    spec = found["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app": "checkout"}
    # the first who gets through today, not the first by name
    client = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
        "podSelector": {"matchLabels": {"app": "cart"}},
    }
    assert spec["ingress"][0]["from"] == [client]
    assert spec["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8443}]
    assert "It declares more: 9100/TCP metrics." in path.read_text()
    resolver = spec["egress"][0]
    assert resolver["to"][0]["podSelector"]["matchLabels"] == {"app": "dns"}
    assert resolver["ports"][0] == {"protocol": "UDP", "port": 5353}


STRANGE = (
    namespace()
    + deployment("web")
    + pod("set-0", owner="set", labels='{app: web, "yes": "on", pod-template-hash: a}')
    + pod("set-1", owner="set", labels='{app: web, "yes": "on", pod-template-hash: a}')
)


def made(tmp_path: Path, manifests: str, workload: str, *more: str) -> Ran:
    path = tmp_path / "manifests.yaml"
    path.write_text(manifests)
    return scaffold(*(more or ("policy",)), "-f", path, "--for", workload)


def test_labels_that_do_not_single_out_are_taken_together(tmp_path: Path) -> None:
    text = made(tmp_path, STRANGE, "shop/set").out
    spec = yaml.safe_load(text)["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app": "web", "yes": "on"}


def test_without_others_there_are_made_up_names(tmp_path: Path) -> None:
    lonely = namespace() + deployment("web")
    text = made(tmp_path, lonely, "shop/web", "all").out
    documents = {d["kind"]: d for d in yaml.safe_load_all(text)}
    rules = documents["NetworkPolicy"]["spec"]
    assert rules["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == {
        "app": "client"
    }
    assert rules["egress"][0]["ports"][0]["port"] == 53
    ran = run("test", "-f", tmp_path / "manifests.yaml", "-f", "-", given=text)
    assert ran.code == 0


def test_priorities_of_the_mesh_are_not_taken_twice(tmp_path: Path) -> None:
    present = scaffold("policy", "--kind", "ClusterNetworkPolicy").out
    mesh = namespace() + deployment("cart") + deployment("web") + present
    asked = ("policy", "--kind", "ClusterNetworkPolicy")
    found = yaml.safe_load(made(tmp_path, mesh, "shop/cart", *asked).out)
    assert found["metadata"]["name"] == "shop-cart-2"
    assert (yaml.safe_load(present)["spec"]["priority"], found["spec"]["priority"]) == (
        100,
        101,
    )


def test_what_other_policies_decide_is_said(tmp_path: Path) -> None:
    """The web may send nothing: the case expects what is true, and tells why."""
    closed = policy("closed", "{podSelector: {}, policyTypes: [Egress]}")
    mesh = namespace() + deployment("web") + deployment("cart") + closed
    text = made(tmp_path, mesh, "shop/cart", "all").out
    decides = "NetworkPolicy/shop/closed/egress/default"
    assert f"{NOTE}{decides} ({tmp_path}/manifests.yaml:" in text
    (tmp_path / "cart_test.yaml").write_text(text)
    assert run("test", "-f", tmp_path).code == 0
    test = next(d for d in yaml.safe_load_all(text) if d["kind"] == "PolicyTest")
    assert test["cases"][0] == {
        "name": "shop/web -> shop/cart TCP 8080",
        "from": "shop/web",
        "to": "shop/cart",
        "port": 8080,
        "expect": "deny",
    }


def test_a_test_alone_is_about_what_is_there(tmp_path: Path) -> None:
    """It pins down today's access, with the rules that decide."""
    closed = policy("closed", "{podSelector: {matchLabels: {app: cart}}}")
    mesh = namespace() + deployment("web") + deployment("cart") + closed
    text = made(tmp_path, mesh, "shop/cart", "test").out
    path = tmp_path / "cart_test.yaml"
    path.write_text(text)
    assert cases_of(path)["shop/web -> shop/cart TCP 8080"] == {
        "name": "shop/web -> shop/cart TCP 8080",
        "from": "shop/web",
        "to": "shop/cart",
        "port": 8080,
        "expect": "deny",
        "rule": "NetworkPolicy/shop/closed/ingress/default",
    }
    assert NOTE not in text
    assert run("test", "-f", tmp_path).code == 0


@pytest.mark.parametrize(
    "workload, kind, error",
    [
        (
            "shop/wep",
            "NetworkPolicy",
            "error[RUN0010]: no workload is called 'shop/wep'",
        ),
        ("shop/host", "NetworkPolicy", "error[RUN0025]: shop/host is on the host net"),
        ("shop/bare", "NetworkPolicy", "error[RUN0025]: shop/bare has no labels"),
        ("shop/udp", "OverlayPolicy", "error[RUN0025]: shop/udp declares no TCP port"),
    ],
)
def test_what_cannot_have_a_starter(
    tmp_path: Path, workload: str, kind: str, error: str
) -> None:
    mesh = (
        namespace()
        + deployment("web")
        + deployment("udp", ports="[{containerPort: 53, protocol: UDP}]")
        + pod("bare")
        + pod("host", labels="{app: host}", host_network=True)
    )
    ran = made(tmp_path, mesh, workload, "all", "--kind", kind)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err


@pytest.mark.parametrize("arguments", [("-f", SHOP), ("--for", "shop/cart")])
def test_manifests_and_workload_go_together(arguments: tuple[str | Path, ...]) -> None:
    ran = scaffold("all", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "-f and --for go together" in ran.err


# --- files ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_the_example(tmp_path: Path, part: str) -> None:
    folder = tmp_path / "deep" / "folder"
    assert scaffold(part, "--out-dir", folder).code == 0
    found = sorted(path.name for path in folder.iterdir())
    expected = {
        "policy": ["cart-policy.yaml"],
        "test": ["cart_test.yaml"],
        "traffic": ["cart-traffic.yaml"],
        "all": [*FILES, "inventory.yaml"],
    }
    assert found == expected[part]
    printed = "---\n".join((folder / name).read_text() for name in found)
    if part != "all":
        assert scaffold(part).out == printed


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "cart_test.yaml"
    mine.write_text("mine")
    ran = scaffold("all", "--out-dir", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[RUN0026]: already there: {mine}\n  hint: --force" in ran.err
    assert files_below(tmp_path) == {"cart_test.yaml": b"mine"}
    assert scaffold("all", "--out-dir", tmp_path, "--force").code == 0
    assert mine.read_text().startswith("# What policy is meant to do")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = scaffold("policy", "--out-dir", tmp_path / "file")
    assert ran.code == 2
    assert "error[OVL0024]" in ran.err


def test_two_runs_write_equal_bytes() -> None:
    asked = ("all", "-f", SHOP, "--for", "shop/cart")
    assert scaffold(*asked).out == scaffold(*asked).out


def test_templates_fit_the_width_of_a_terminal() -> None:
    for kind in KINDS:
        for line in scaffold("all", "--kind", kind).out.splitlines():
            assert len(line) <= 88, line
            assert not re.search(r"\s$", line), line


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, text",
    [
        ({"app": "cart"}, "{app: cart}"),
        ({"matchLabels": {"a/b": "v1.2"}}, "{matchLabels: {a/b: v1.2}}"),
        ({"on": "true"}, '{"on": "true"}'),
        ({"port": 80, "path": "/a"}, "{port: 80, path: /a}"),
        ("1e3", '"1e3"'),
        ("2024-01-01", '"2024-01-01"'),
        ("192.0.2.1", "192.0.2.1"),
        ("1.5", '"1.5"'),
        ("", '""'),
        ("null", '"null"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("}, {", '"}, {"'),
        ('q"\n', '"q\\"\\n"'),
        ("it is plain", "it is plain"),
    ],
)
def test_values_stay_what_they_are(value: object, text: str) -> None:
    assert flow(value) == text
    assert yaml.safe_load(text) == value
    assert yaml.safe_load(f"[{text}]") == [value]


def test_a_block_has_a_line_for_each_field() -> None:
    assert block({"a": {"b": "c"}, "d": "y"}, 2) == 'a: {b: c}\n  d: "y"'

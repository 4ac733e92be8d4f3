"""Bad input: a located error on stderr, exit 2, and every file as it was."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from filters.layout import VERSION, VERSION_AT
from tests.cli.conftest import INVENTORY, POLICIES
from tests.support.cli import Ran, files_below, run
from tests.support.meshes import deployment, namespace, policy

BUILD = ("build", "-f", "policies", "--out", "mesh.wasm")
FLOW = ("--from", "shop/web", "--to", "shop/cart", "--port", "8080")
QUESTIONS = (
    BUILD,
    ("simulate", "-f", "policies", "-o", "json"),
    ("explain", "-f", "policies", *FLOW, "-o", "json"),
)


CLUSTER_POLICY = """
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec:
  tier: Admin
  priority: 7
  subject: {{namespaces: {{}}}}
  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]
"""


def rule(peer: str = "{podSelector: {}}", port: str = "{port: 80}") -> str:
    return policy(
        "bad", f"{{podSelector: {{}}, ingress: [{{from: [{peer}], ports: [{port}]}}]}}"
    )


def selector(text: str) -> str:
    return rule(f"{{podSelector: {{matchExpressions: [{text}]}}}}")


# --- manifests ----------------------

COLLIDING = (
    deployment("one", ports="[{name: web, containerPort: 80}]").replace(
        "app: one", "a: b"
    )
    + deployment("two", ports="[{name: web, containerPort: 81}]").replace(
        "app: two", "a: b"
    )
    + policy("named", "{podSelector: {}, ingress: [{ports: [{port: web}]}]}")
)

# What is wrong, the manifest, the code, and what the error points at or says.
MANIFESTS = [
    ("not YAML", "spec: [}\n", "INP0003", "bad.yaml:1:8"),
    ("a key twice", "kind: Pod\nkind: Pod\n", "INP0004", "bad.yaml:2:1"),
    ("a list", "- kind: Pod\n", "INP0005", "bad.yaml:1:1"),
    ("wrong shape", policy("bad", "{podSelector: []}"), "INP0005", "bad.yaml:4:21"),
    ("unknown field", policy("bad", "{podSelektor: {}}"), "POL0001", "podSelektor"),
    ("operator", selector("{key: a, operator: Like}"), "POL0003", "Like"),
    ("protocol", rule(port="{protocol: ICMP}"), "POL0004", "ICMP"),
    ("port 0", rule(port="{port: 0}"), "POL0006", "bad.yaml:"),
    ("port 65536", rule(port="{port: 65536}"), "POL0006", "65536"),
    ("endPort below port", rule(port="{port: 80, endPort: 79}"), "POL0007", "79"),
    ("bad CIDR", rule("{ipBlock: {cidr: 10.0.0.0/33}}"), "POL0009", "10.0.0.0/33"),
    (
        "except outside its block",
        rule("{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}"),
        "POL0010",
        "11.0.0.0/9",
    ),
    ("policies of one name", POLICIES, "POL0014", "cart-in"),
    ("workloads that collide", COLLIDING, "OVL0001", 'port "web"'),
]


@pytest.mark.parametrize("command", QUESTIONS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    "text, code, message",
    [row[1:] for row in MANIFESTS],
    ids=[row[0] for row in MANIFESTS],
)
def test_bad_manifests(
    shop: Path, command: tuple[str, ...], text: str, code: str, message: str
) -> None:
    (shop / "policies" / "bad.yaml").write_text(text)
    (shop / "mesh.wasm").write_text("as it was")
    ran = check_refused(shop, command, code)
    assert "bad.yaml:" in ran.err
    assert message in ran.err
    assert "^" in ran.err


def check_refused(folder: Path, command: tuple[str, ...], code: str) -> Ran:
    before = files_below(folder)
    ran = run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert f"error[{code}]" in ran.err
    assert "Traceback" not in ran.err and "internal error" not in ran.err
    assert files_below(folder) == before
    return ran


def test_a_policy_in_an_undeclared_namespace_is_compiled(shop: Path) -> None:
    """A warning on stderr, and the policy holds all the same."""
    (shop / "policies" / "inventory.yaml").write_text(
        INVENTORY.removeprefix(namespace())
    )
    assert "warning[POL0016]" in run(*BUILD).err
    ran = run("explain", "-f", "policies", *FLOW[:-1], "8081")
    assert (ran.code, "warning[POL0016]" in ran.err) == (1, True)


@pytest.mark.parametrize(
    "options, message",
    [
        ((), "Missing option '-f'"),
        (("-f", "nowhere"), "error[INP0001]: nowhere: No such file"),
        (("-f", "policies", "--color", "pink"), "'--color'"),
        (("-f", "policies", "-o", "xml"), "'-o'"),
        (("-f", "policies", "--frobnicate"), "No such option"),
        (("-f", "policies", "--lock", "nowhere"), "error[INP0001]: nowhere"),
        (("-f", "policies", "--module", "nowhere"), "error[INP0001]: nowhere"),
    ],
)
def test_wrong_usage(shop: Path, options: tuple[str, ...], message: str) -> None:
    ran = run("simulate", *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.parametrize(
    "options, message",
    [
        (("--overlay", "No Name"), "error[OVL0007]"),
        (("--overlay-id", "12"), "error[OVL0007]"),
        (("--member-cidr", "10.0.0.1/8"), "'--member-cidr'"),
        (("--member-cidr", "::/0"), "'--member-cidr'"),
    ],
)
def test_wrong_names_and_ranges(
    shop: Path, options: tuple[str, ...], message: str
) -> None:
    before = files_below(shop)
    ran = run(*BUILD, *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert files_below(shop) == before


# --- lock files ----------------------


def renumber(text: str) -> str:
    return text.replace(
        '{"id": 1, "namespace": "shop", "serv', '{"id": 9, "namespace": "shop", "serv'
    )


LOCKS: list[tuple[str, Callable[[str], str], str]] = [
    ("a renumbered id", renumber, "OVL0014"),
    ("a row twice", lambda t: t.replace("targets:", row_of(t) + "targets:"), "OVL0013"),
    (
        "another name",
        lambda t: t.replace('"name": "mesh"', '"name": "mess"'),
        "OVL0014",
    ),
    ("conflict markers", lambda t: "<<<<<<< mine\n" + t, "OVL0016"),
    ("not YAML", lambda t: t + "\n: [", "OVL0010"),
    ("a newer version", lambda t: t.replace("dev/v1", "dev/v9"), "OVL0017"),
    ("empty", lambda t: "", "OVL0011"),
]


def row_of(text: str) -> str:
    return next(line for line in text.splitlines(True) if "serviceAccount" in line)


@pytest.mark.parametrize(
    "damage, code", [row[1:] for row in LOCKS], ids=[row[0] for row in LOCKS]
)
def test_bad_lock_files(shop: Path, damage: Callable[[str], str], code: str) -> None:
    assert run(*BUILD).code == 0
    lock = shop / "overlay.lock.yaml"
    text = damage(lock.read_text())
    assert text != lock.read_text()
    lock.write_text(text)
    ran = check_refused(shop, BUILD, code)
    assert "overlay.lock.yaml:" in ran.err
    check_refused(shop, (*QUESTIONS[1], "--lock", "overlay.lock.yaml"), code)


def test_a_lock_file_of_another_overlay(shop: Path) -> None:
    assert run(*BUILD).code == 0
    check_refused(shop, (*BUILD, "--overlay", "other"), "OVL0012")
    check_refused(shop, (*BUILD, "--overlay-id", "0000000001"), "OVL0012")


# --- modules ----------------------


def table_at(module: bytes) -> int:
    return module.index(b"PMT1")


def truncated(module: bytes) -> bytes:
    """The table says a size that it does not have."""
    at = table_at(module) + 8
    (size,) = struct.unpack_from("<I", module, at)
    return module[:at] + struct.pack("<I", size + 4) + module[at + 4 :]


def bit_flipped(module: bytes) -> bytes:
    at = table_at(module) + 200
    return module[:at] + bytes([module[at] ^ 1]) + module[at + 1 :]


def newer(module: bytes) -> bytes:
    at = table_at(module) + VERSION_AT
    return module[:at] + struct.pack("<I", VERSION + 1) + module[at + 4 :]


MODULES = [
    ("truncated table", truncated, "TBL0002"),
    ("bit-flipped table", bit_flipped, "TBL0002"),
    ("newer table", newer, "TBL0002"),
    ("half a module", lambda m: m[: len(m) // 2], "RUN0001"),
    ("no module", lambda m: b"hello", "RUN0001"),
    ("empty file", lambda m: b"", "RUN0001"),
]


@pytest.mark.parametrize(
    "damage, code", [row[1:] for row in MODULES], ids=[row[0] for row in MODULES]
)
def test_bad_modules(shop: Path, damage: Callable[[bytes], bytes], code: str) -> None:
    assert run(*BUILD).code == 0
    path = shop / "mesh.wasm"
    path.write_bytes(damage(path.read_bytes()))
    check_refused(shop, ("inspect", "mesh.wasm"), code)
    check_refused(shop, ("inspect", "mesh.wasm", "-o", "json"), code)
    check_refused(shop, (*QUESTIONS[2], "--module", "mesh.wasm"), code)


def test_a_filter_without_a_table(shop: Path) -> None:
    (shop / "own.py").write_text(FILTER)
    assert run("py2wasm", "own.py", "-o", "own.wasm").code == 0
    check_refused(shop, ("inspect", "own.wasm"), "TBL0003")


# --- outputs ----------------------


@pytest.mark.parametrize(
    "out, code",
    [
        ("nowhere/mesh.wasm", "OVL0024"),
        ("policies", "RUN0014"),
        ("overlay.lock.yaml", "RUN0014"),
        (".", "OVL0024"),
        ("/dev/null", "OVL0024"),
    ],
)
def test_outputs_that_cannot_be(shop: Path, out: str, code: str) -> None:
    """The lock file is not written either: all or nothing."""
    check_refused(shop, ("build", "-f", "policies", "--out", out), code)
    assert Path("/dev/null").is_char_device()


def test_a_lock_file_is_no_manifest(shop: Path) -> None:
    manifest = "policies/inventory.yaml"
    command = ("build", "-f", manifest, "--out", "x.wasm", "--lock", manifest)
    check_refused(shop, command, "RUN0014")


def test_a_disk_that_fails_leaves_nothing_behind(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("generator.cli.files.os.fsync", fail)
    ran = check_refused(shop, BUILD, "OVL0024")
    assert "No space left on device" in ran.err


# --- guest source ----------------------

FILTER = """\
from __future__ import annotations

from filters.lang import export, u32


@export
def proxy_on_tick(context_id: u32) -> None:
    pass
"""

GUESTS = [
    ("not Python", "def f(:\n", "GST0001", "bad.py:1:7"),
    (
        "a comprehension",
        FILTER + "    x = [i for i in range(3)]\n",
        "GST0011",
        "bad.py:9:9",
    ),
    ("a class", FILTER + "\nclass A:\n    pass\n", "GST", "bad.py:10:"),
]


@pytest.mark.parametrize(
    "text, code, place", [row[1:] for row in GUESTS], ids=[row[0] for row in GUESTS]
)
def test_bad_guest_source(shop: Path, text: str, code: str, place: str) -> None:
    (shop / "bad.py").write_text(text)
    (shop / "out.wasm").write_text("as it was")
    before = files_below(shop)
    ran = run("py2wasm", "bad.py", "-o", "out.wasm")
    assert (ran.code, ran.out) == (2, "")
    assert f"{place}" in ran.err and f"error[{code}" in ran.err
    assert "^" in ran.err and "hint: " in ran.err
    assert files_below(shop) == before


def test_errors_in_imported_modules_are_shown_too(shop: Path) -> None:
    (shop / "side.py").write_text("def helper():\n    return 'text'\n")
    text = FILTER.replace(
        "lang import export, u32\n",
        "lang import export, u32\nfrom side import helper\n",
    )
    (shop / "bad.py").write_text(text)
    ran = run("py2wasm", "bad.py", "-o", "out.wasm")
    assert ran.code == 2
    assert "side.py:1:" in ran.err and "def helper():" in ran.err


@pytest.mark.parametrize(
    "source, out, code",
    [
        ("nowhere.py", "out.wasm", "INP0001"),
        ("policies", "out.wasm", "INP0001"),
        ("own.py", "own.py", "RUN0014"),
        ("own.py", "nowhere/out.wasm", "OVL0024"),
        ("latin.py", "out.wasm", "INP0002"),
    ],
)
def test_guest_files_that_cannot_be(
    shop: Path, source: str, out: str, code: str
) -> None:
    (shop / "own.py").write_text(FILTER)
    (shop / "latin.py").write_bytes(b"# \xe9\n")
    check_refused(shop, ("py2wasm", source, "-o", out), code)


# --- ties ------------------------------------------------------------------------


def test_policies_that_tie_stop_everything_unless_suppressed(shop: Path) -> None:
    """Equal tier and priority: the API leaves open which comes first."""
    for name, action in (("b-allow", "Accept"), ("a-deny", "Deny")):
        text = CLUSTER_POLICY.format(name=name, action=action)
        (shop / "policies" / f"{name}.yaml").write_text(text)
    before = files_below(shop)
    for question in QUESTIONS:
        ran = run(*question)
        assert (ran.code, ran.out) == (2, "")
        assert "error[POL0041]" in ran.err
        assert files_below(shop) == before
    ran = run("explain", "-f", "policies", *FLOW, "--suppress", "POL0041")
    assert ran.code == 1  # by name the Deny comes first
    assert "warning[POL0041]" in ran.err
    assert "ClusterNetworkPolicy a-deny selects shop/cart, and ingress[0]" in ran.out

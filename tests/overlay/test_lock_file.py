"""The lock file's text: one spelling, both ways of reading it, and what is refused."""

from __future__ import annotations

import hashlib
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import OverlayError
from generator.overlay.build import build_overlay
from generator.overlay.lock import Lock, revoke
from generator.overlay.lock_reader import read_lock
from generator.overlay.lock_writer import write_lock
from generator.policy.model import Model
from generator.source import SourceFile
from tests.overlay.shapes import member, model, selecting, service
from tests.overlay.strategies import models

GOLDEN = """\
# Made by pepmesh. Keep it in version control: an id is given once and never again.
# By hand only this: `revoked: true` in a workload's row.
apiVersion: pepmesh.dev/v1
kind: OverlayLock
overlay: {"name": "shop", "id": "00000000ff", "check": "be8cb748"}
labelKeys:
- "app"
realms:
- {"id": 1, "namespace": "shop", "check": "fb73524a"}
workloads:
- {"id": 1, "namespace": "shop", "serviceAccount": "default", "labels": {"app": "cart"}, "retired": true, "check": "25ce8166"}
- {"id": 2, "namespace": "shop", "serviceAccount": "default", "labels": {"app": "on"}, "revoked": true, "check": "29524fef"}
targets:
- {"id": 1, "kind": "service", "namespace": "shop", "name": "front", "check": "dc507cf1"}
- {"id": 2, "kind": "workload", "namespace": "shop", "name": "cart", "retired": true, "check": "4ca84955"}
- {"id": 3, "kind": "workload", "namespace": "shop", "name": "web", "check": "cf9b4cc6"}
"""  # noqa: E501  a row is a line


def golden_lock() -> Lock:
    web, front = member("web", {"app": "on"}), service("front", {"app": "on"})
    both = model(web, member("cart"), front, selecting("app"))
    lock = build_overlay(both, None, name="shop", overlay_id=255)[1]
    lock = build_overlay(model(web, front, selecting("app")), lock, name="shop")[1]
    return revoke(lock, 2)


def read(text: str) -> Lock:
    return read_lock(SourceFile("overlay.lock.yaml", text))


def as_block(text: str) -> str:
    """Spell the same YAML so that the short cut for one-line rows cannot take it."""
    return text.replace('- {"', '-   {"')


def test_golden_text() -> None:
    assert write_lock(golden_lock()) == GOLDEN
    assert read(GOLDEN) == golden_lock()


def test_check_is_what_the_format_says() -> None:
    listed = '["00000000ff","workloads",2,"default","shop","default",["app","on"]]'
    expected = hashlib.sha256(listed.encode()).hexdigest()[:8]
    assert re.findall('"id": 2, .*"check": "(.*)"', GOLDEN)[0] == expected


def test_other_yaml_tools_read_the_same() -> None:
    rows = yaml.safe_load(GOLDEN)["workloads"]
    assert rows[1]["labels"] == {"app": "on"}
    assert rows[1]["check"] == "29524fef"


def test_another_cluster_is_written() -> None:
    found = model(member("web"))
    lock = build_overlay(found, None, name="shop", cluster="east")[1]
    assert write_lock(lock).count('"cluster": "east"') == 2
    assert read(write_lock(lock)) == lock


@given(models(), models())
def test_text_comes_back(one: Model, two: Model) -> None:
    first = build_overlay(one, None, name="shop")[1]
    lock = build_overlay(two, first, name="shop")[1]
    text = write_lock(lock)
    assert read(text) == lock
    assert read(as_block(text)) == lock
    assert write_lock(read(text)) == text


def test_revoked_may_be_added_by_hand_in_yaml() -> None:
    text = GOLDEN.replace('"revoked": true, ', "")
    assert read(text) != golden_lock()
    by_hand = text.replace('{"id": 2, "namespace": "shop", "ser', "{revoked: true, \\0")
    by_hand = by_hand.replace("\\0", '"id": 2, "namespace": "shop", "ser')
    assert read(by_hand) == golden_lock()


def test_rows_may_be_in_any_order() -> None:
    lines = GOLDEN.splitlines()
    lines[10], lines[11] = lines[11], lines[10]
    assert read("\n".join(lines)) == golden_lock()


# --- bad input ---------------------------------------------------------------------

# What is replaced by what (all of the text if None), code, line that is pointed at.
BAD: list[tuple[str | None, str, str, int]] = [
    # Not YAML
    (None, "a: [b", "OVL0010", 1),
    (None, "\x00", "OVL0010", 1),
    (None, "- {}\n---\n- {}\n", "OVL0010", 2),
    (None, "[" * 200_000, "OVL0010", 1),
    (None, "- " * 200_000, "OVL0010", 1),
    ('"shop", "id": "0', "shop}, id: {", "OVL0010", 5),
    # YAML of the wrong shape
    (None, "", "OVL0011", 1),
    (None, "- a\n", "OVL0011", 1),
    (None, "true\n", "OVL0011", 1),
    ("labelKeys", "labelkeys", "OVL0011", 6),
    ('- "app"', "- 1", "OVL0011", 7),
    ('labelKeys:\n- "app"', "labelKeys: app", "OVL0011", 6),
    ("\nrealms:", "\nrealms: {}\nrealms:", "OVL0011", 9),
    ("targets:", "targets: {}\nrows:", "OVL0011", 14),
    ('"id": 3,', '"id": "3",', "OVL0011", 16),
    ('"id": 3,', '"id": 0,', "OVL0011", 16),
    ('"id": 3,', '"id": -3,', "OVL0011", 16),
    ('"id": 3,', '"id": 3.0,', "OVL0011", 16),
    ('"id": 3,', '"id": 0x3,', "OVL0011", 16),
    ('"id": 3,', '"id": 4294967296,', "OVL0011", 16),
    ('"id": 3,', '"id": true,', "OVL0011", 16),
    ('"id": 3,', '"id": 3, "id": 3,', "OVL0011", 16),
    ('"id": 3,', '"id": 3, "revoked": true,', "OVL0011", 16),
    ('"id": 3,', '"id": 3, "retired": yes,', "OVL0011", 16),
    ('"id": 3,', '"id": 3, "retired": "true",', "OVL0011", 16),
    ('{"id": 3, "kind": "workload"', '{"id": 3, "kind": "pod"', "OVL0011", 16),
    ('"namespace": "shop", "name": "web"', '"name": "web"', "OVL0011", 16),
    ('{"app": "on"}', '{"app": 7}', "OVL0011", 12),
    ('{"app": "on"}', '["app"]', "OVL0011", 12),
    ('{"app": "on"}', "null", "OVL0011", 12),
    # Another version, kind, name
    ("pepmesh.dev/v1", "pepmesh.dev/v2", "OVL0017", 3),
    ("OverlayLock", "NetworkPolicy", "OVL0017", 4),
    ('"name": "shop"', '"name": "Shop"', "OVL0007", 5),
    ('"00000000ff"', '"00000000FF"', "OVL0007", 5),
    # Renumbered or edited by hand
    ('{"id": 3,', '{"id": 7,', "OVL0014", 16),
    ('{"app": "on"}', '{"app": "off"}', "OVL0014", 12),
    ('"name": "web"', '"name": "webs"', "OVL0014", 16),
    ('"be8cb748"', '"00000000"', "OVL0014", 5),
    ('"name": "shop", "id"', '"name": "pay", "id"', "OVL0014", 5),
    ('"00000000ff"', '"00000000fe"', "OVL0014", 5),
    # A merge that was not finished
    ("workloads:", "<<<<<<< HEAD\nworkloads:", "OVL0016", 10),
    ("workloads:", "=======\nworkloads:", "OVL0016", 10),
    # Rows that do not fit each other
    ('- "app"', '- "tier"', "OVL0019", 12),
    ('"check": "fb73524a"', '"retired": true, "check": "fb73524a"', "OVL0019", 12),
]


@pytest.mark.parametrize("row", BAD, ids=lambda row: f"{row[2]}:{row[1][:20]!a}")
@pytest.mark.parametrize("spell", [str, as_block], ids=["rows", "yaml"])
def test_bad_input(row: tuple[str | None, str, str, int], spell: type[str]) -> None:
    old, new, code, line = row
    assert old is None or GOLDEN.count(old) == 1, "the row edits one place"
    text = new if old is None else spell(GOLDEN).replace(spell(old), spell(new))
    with pytest.raises(OverlayError, match=code) as caught:
        read(text)
    (problem,) = caught.value.diagnostics
    assert problem.span is not None
    assert (problem.span.file, problem.span.start.line) == (
        "overlay.lock.yaml",
        line - 1,
    )


def test_a_row_pasted_from_another_overlay_is_found() -> None:
    found = model(member("web"), member("pasted"), selecting("app"))
    other = write_lock(build_overlay(found, None, name="other")[1])
    pasted = next(line for line in other.splitlines() if '"name": "web"' in line)
    with pytest.raises(OverlayError, match="OVL0014"):
        read(GOLDEN.replace("targets:\n", f"targets:\n{pasted}\n"))


def test_a_lock_of_another_overlay_is_refused() -> None:
    found = model(member("web"))
    lock = read(GOLDEN)
    with pytest.raises(OverlayError, match="OVL0012") as caught:
        build_overlay(found, lock, name="pay")
    assert str(caught.value.diagnostics[0].span) == "overlay.lock.yaml:5:10"
    with pytest.raises(OverlayError, match="OVL0012"):
        build_overlay(found, lock, name="shop", overlay_id=254)
    build_overlay(found, lock, name="shop", overlay_id=255)


@pytest.mark.parametrize("name", ["", "Shop", "a.b", "-a", "a" * 64, "shop\n"])
def test_overlay_names_are_dns_labels(name: str) -> None:
    with pytest.raises(OverlayError, match="OVL0007"):
        build_overlay(model(), None, name=name)


def test_the_default_id_follows_from_the_name() -> None:
    overlay = build_overlay(model(), None, name="shop")[0]
    digest = hashlib.sha256(b"pepmesh overlay shop").hexdigest()
    assert f"{overlay.id:010x}" == digest[:10]


@given(st.text(alphabet='{}[]",:- \nabei01\\#&*!|>%@`\t', max_size=60))
def test_any_text_is_an_error_with_a_place(text: str) -> None:
    for whole in (text, GOLDEN.replace('- "app"', text)):
        try:
            read(whole)
        except OverlayError as error:
            assert all(problem.span for problem in error.diagnostics)

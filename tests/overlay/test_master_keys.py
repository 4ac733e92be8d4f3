"""The master key file: private, never overwritten, strict, and silent about secrets."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from generator.errors import OverlayError
from generator.overlay.master_keys import (
    MasterKey,
    MasterKeys,
    format_master_keys,
    new_master_keys,
    parse_master_keys,
    write_master_keys,
)

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
KEYS = MasterKeys("shop", 255, (MasterKey(2, ONE), MasterKey(3, TWO)), (1,))
TEXT = """\
# Master keys: whoever has this file can speak as any workload.
apiVersion: pepmesh.dev/v1
kind: MasterKeys
overlay: {name: "shop", id: "00000000ff"}
keys:
- {id: 1, retired: true}
- {id: 2, secret: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
- {id: 3, secret: "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}
"""


def parse(text: str) -> MasterKeys:
    return parse_master_keys("keys.yaml", text)


def test_golden_text() -> None:
    assert format_master_keys(KEYS) == TEXT
    assert parse(TEXT) == KEYS
    assert KEYS.newest.id == 3


def test_a_new_file_is_private_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    keys = new_master_keys("shop", 255)
    mask = os.umask(0)
    try:
        write_master_keys(path, keys)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert parse(path.read_text()) == keys
    assert [(key.id, len(key.secret)) for key in keys.active] == [(1, 32)]


def test_new_secrets_differ() -> None:
    assert (
        new_master_keys("a", 1).newest.secret != new_master_keys("a", 1).newest.secret
    )


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    path, elsewhere = tmp_path / "keys.yaml", tmp_path / "elsewhere"
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
    with pytest.raises(OverlayError, match="OVL0022"):
        write_master_keys(path, KEYS)
    assert kind != "file" or path.read_text() == "precious"
    assert not elsewhere.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OverlayError, match="OVL0024"):
        write_master_keys(tmp_path / "none" / "keys.yaml", KEYS)


def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OverlayError, match="OVL0024"):
        write_master_keys(tmp_path / "keys.yaml", KEYS)
    assert list(tmp_path.iterdir()) == []


SECRET = base64.b64encode(TWO).decode()
BAD = [
    (TEXT, "a: [", "OVL0010", 1),
    (TEXT, "a: b", "OVL0011", 1),
    ("pepmesh.dev/v1", "pepmesh.dev/v2", "OVL0017", 2),
    ("MasterKeys", "OverlayLock", "OVL0017", 3),
    ('"shop"', '"a b"', "OVL0007", 4),
    ('"00000000ff"', '"ff"', "OVL0007", 4),
    ("{id: 3", "{id: 0", "OVL0011", 8),
    ("{id: 3", "{id: 256", "OVL0011", 8),
    ("{id: 3", "{id: 2", "OVL0013", 8),
    ("{id: 3, ", "{id: 3, note: x, ", "OVL0011", 8),
    (f'"{SECRET}"', '""', "OVL0020", 8),
    (f'"{SECRET}"', f'"{SECRET[:-4]}"', "OVL0020", 8),
    (f'"{SECRET}"', f'"{SECRET}AAAA"', "OVL0020", 8),
    (f'"{SECRET}"', f'"{SECRET[:-2]}9="', "OVL0020", 8),  # left-over bits
    (f'"{SECRET}"', f'"{SECRET[:-1]}"', "OVL0020", 8),  # no padding
    (f'"{SECRET}"', f'"é{SECRET[1:]}"', "OVL0020", 8),
    (f'secret: "{SECRET}"', "retired: false", "OVL0011", 8),
    ("1, retired: true", f'1, secret: "{SECRET}"', "OVL0021", 6),
]


@pytest.mark.parametrize(("old", "new", "code", "line"), BAD)
def test_bad_input(old: str, new: str, code: str, line: int) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(OverlayError, match=code) as caught:
        parse(TEXT.replace(old, new))
    (problem,) = caught.value.diagnostics
    assert problem.span is not None
    assert problem.span.start.line == line - 1


def test_no_key_is_active() -> None:
    retired = "\n".join(TEXT.splitlines()[:6])
    with pytest.raises(OverlayError, match="OVL0021"):
        parse(retired)


def test_secrets_are_not_shown() -> None:
    shown = repr(KEYS) + str(KEYS)
    for text in (TEXT.replace(f'{SECRET}"', f'{SECRET}A"'), TEXT.replace("2, ", "3, ")):
        with pytest.raises(OverlayError) as caught:
            parse(text)
        shown += str(caught.value) + repr(caught.value.diagnostics)
    for secret in (ONE, TWO):
        assert base64.b64encode(secret).decode()[:12] not in shown
        assert repr(secret)[2:12] not in shown

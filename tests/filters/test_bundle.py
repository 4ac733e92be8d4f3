"""Key bundles come and go: each keeps its bytes, and room is found if there is any.

A model of lists says what must be there; the guest is compiled with little room.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import cache
from pathlib import Path
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from filters.bundle import HEADER_BYTES, ROW_BYTES, SLOTS
from filters.layout import NONE
from generator.compiler import compile_file
from generator.overlay.bundle import Bundle, BundleRow, encode_bundle
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host, property_path
from tests.filters.pep_mesh import mesh

MAX_KEYS: Final = 6
ROOM: Final = 2 * (HEADER_BYTES + MAX_KEYS * ROW_BYTES)


@cache
def module() -> bytes:
    path = Path("tests/filters/bundle_probe.py")
    constants = {"filters.bundle.MAX_KEYS": MAX_KEYS}
    linked = compile_file(path, embedded={"table": mesh()[1]}, constants=constants)
    return bytes(linked.to_bytes())


class Room:
    """The guest, and what must be in it: bundles by slot with their users."""

    def __init__(self) -> None:
        self.host = Host()
        self.guest = WasmGuest(module(), self.host)
        self.users: dict[int, int] = {}
        self.bundles: dict[int, bytes] = {}

    def admit(self, data: bytes, encoded: bytes | None = None) -> int:
        text = urlsafe_b64encode(data).rstrip(b"=") if encoded is None else encoded
        self.host.vm_configuration = text
        return int(self.guest.call("probe_admit"))

    def release(self, slot: int) -> None:
        self.guest.call("probe_release", slot)
        self.users[slot] -= 1
        if self.users[slot] == 0:
            del self.users[slot], self.bundles[slot]

    def out(self) -> bytes:
        status, value = self.host.proxy_get_property(property_path("out"))
        assert status == 0
        return bytes(value)

    def check(self) -> None:
        """Every bundle is what it was, and nothing else is left of any."""
        for slot, data in self.bundles.items():
            self.guest.call("probe_bundle", slot)
            assert self.out() == data
        self.guest.call("probe_keys")
        used = sum(map(len, self.bundles.values()))
        assert len(self.out()) == ROOM
        assert not any(self.out()[used:])


def bundle(rows: int, mark: int) -> bytes:
    sent = tuple(BundleRow(n + 1, 1, bytes([mark]) * 32) for n in range(rows))
    overlay = mesh()[0]
    return encode_bundle(Bundle(overlay.id, overlay.workloads[0].id, sent, ()))


NEW = st.tuples(st.integers(0, 2 * MAX_KEYS + 1), st.integers(1, 3))
STEPS = st.lists(st.one_of(NEW, st.integers(0, SLOTS - 1)), max_size=20)


@given(STEPS)
def test_bundles_come_and_go(steps: list[tuple[int, int] | int]) -> None:
    room = Room()
    for step in steps:
        if isinstance(step, int):
            if step in room.users:
                room.release(step)
        else:
            come(room, bundle(*step))
        room.check()


def come(room: Room, data: bytes) -> None:
    """Admit a bundle; the model says whether it must be taken."""
    slot = room.admit(data)
    if data in room.bundles.values():
        assert room.bundles[slot] == data
        room.users[slot] += 1
        return
    used = sum(map(len, room.bundles.values()))
    if used + len(data) > ROOM or len(room.bundles) == SLOTS:
        assert slot == NONE
        return
    assert slot not in room.users
    room.users[slot], room.bundles[slot] = 1, data


def test_a_bundle_of_full_size_can_always_be_replaced() -> None:
    room = Room()
    sizes = (MAX_KEYS, MAX_KEYS - 1, MAX_KEYS, 1, MAX_KEYS, MAX_KEYS)
    for number, rows in enumerate(sizes):
        old = list(room.users)
        come(room, bundle(rows, number + 1))
        assert len(room.users) == len(old) + 1
        for slot in old:
            room.release(slot)
        room.check()


def test_a_root_of_the_same_configuration_needs_no_room() -> None:
    """Two listeners have one bundle, before an update and after it."""
    room = Room()
    for number in (1, 1, 2, 2):
        come(room, bundle(MAX_KEYS, number))
    assert sorted(room.users.values()) == [2, 2]
    room.check()


def test_there_are_no_more_bundles_than_slots() -> None:
    room = Room()
    for mark in range(1, SLOTS + 2):
        come(room, bundle(1, mark))
        room.check()
    assert len(room.users) == SLOTS


def test_what_is_refused_leaves_nothing() -> None:
    room = Room()
    come(room, bundle(2, 1))
    good = urlsafe_b64encode(bundle(3, 2)).rstrip(b"=")
    for bad in (good[:-4], good[:-1] + b"!", good + b"AAAA", b"A" * len(good), b""):
        assert room.admit(b"", bad) == NONE
        room.check()

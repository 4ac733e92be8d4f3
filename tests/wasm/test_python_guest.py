"""Filters under CPython; the same guest as Wasm is in test_both.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.running import HostFailure
from generator.wasm.host import Host
from generator.wasm.python_guest import PythonGuest

FAULTY = Path(__file__).parent / "guests" / "faulty.py"


def test_by_path_and_by_name() -> None:
    assert PythonGuest(FAULTY, Host()).call("count") == 1
    assert PythonGuest("tests.wasm.guests.faulty", Host()).call("count") == 1


def test_guests_share_no_global() -> None:
    one, other = PythonGuest(FAULTY, Host()), PythonGuest(FAULTY, Host())
    assert [one.call("count"), one.call("count"), other.call("count")] == [1, 2, 1]


def test_imported_modules_are_copies_too(tmp_path: Path) -> None:
    state = tmp_path / "state.py"
    state.write_text("from filters.lang import Words\nW = Words(1)\n")
    main = tmp_path / "main.py"
    main.write_text(
        "from __future__ import annotations\n"
        "from filters.lang import export, u32\n"
        "from state import W\n"
        "@export\n"
        "def bump() -> u32:\n"
        "    W[0] = W[0] + 1\n"
        "    return W[0]\n"
    )
    one, other = PythonGuest(main, Host()), PythonGuest(main, Host())
    assert [one.call("bump"), one.call("bump"), other.call("bump")] == [1, 2, 1]


def test_unknown_export() -> None:
    guest = PythonGuest(FAULTY, Host())
    assert guest.has("count")
    assert not guest.has("faulted")
    with pytest.raises(KeyError):
        guest.call("faulted", 1, 2)
    with pytest.raises(TypeError, match="1 arguments for 0"):
        guest.call("count", 1)


@pytest.mark.parametrize("error", [IndexError, ZeroDivisionError, AssertionError])
def test_broken_host_is_not_a_fault_of_the_guest(error: type[Exception]) -> None:
    class Broken(Host):
        def proxy_log(self, level: int, message: bytes) -> int:
            raise error("broken host")

    guest = PythonGuest(FAULTY, Broken())
    with pytest.raises(HostFailure, match="proxy_log"):
        guest.call("deeper", 0)
    assert guest.call("seen_fault") == 0

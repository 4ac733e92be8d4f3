"""The WASI calls that a filter can use: environment, randomness, clocks.

They answer an `Errno` (filters/abi.py); further results are zero on any but SUCCESS.
Importing one costs nothing in Envoy, which serves part of WASI to every module. Not
declared: `fd_write` and others that take addresses inside structures, for which the
language has no words (`proxy_log` writes logs), and `proc_exit`.

Source: WASI preview 1; proxy-wasm-cpp-host 52a0291.
"""
# mypy: disable-error-code="empty-body"
# (the host has the bodies)

from __future__ import annotations

from filters.lang import Buffer, hostcall, u32, u64


@hostcall("wasi_snapshot_preview1", "environ_sizes_get")
def environ_sizes_get() -> tuple[u32, u32, u32]:
    """Return the number of environment variables and the bytes of their text."""
    ...


@hostcall("wasi_snapshot_preview1", "environ_get")
def environ_get(pointers: Buffer, text: Buffer) -> u32:
    """Write `NAME=value` strings, each ended by a zero byte, to `text`.

    `pointers` receives four bytes for each: addresses, of no use in this language.
    Both must be large enough (`environ_sizes_get`): the host knows no bounds but
    the memory's. filters/environment.py checks.
    """
    ...


@hostcall("wasi_snapshot_preview1", "random_get")
def random_get(target: Buffer, length: u32) -> u32:
    """Fill the start of a buffer with random bytes."""
    ...


@hostcall("wasi_snapshot_preview1", "clock_time_get")
def clock_time_get(clock: u32, precision: u64) -> tuple[u32, u64]:
    """Return a ClockId's time in nanoseconds."""
    ...

"""Hostcalls on log, time, randomness, environment, and Envoy's foreign functions.

Source: envoy-wasm, sections 2.2, 2.7. Time stands still unless the test moves it, and
random bytes follow from a seed, so that every run is the same.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Final

from filters.abi import MAX_RANDOM_BYTES, ClockId, Errno, LogLevel, Status
from generator.wasm.errors import not_emulated
from generator.wasm.memory import Area
from generator.wasm.protobuf import read_fields
from generator.wasm.state import HostState, LogLine, served

NOT_EMULATED: Final = frozenset(
    (
        b"set_envoy_filter_state",
        b"verify_signature",
        b"sign",
        b"expr_create",
        b"expr_evaluate",
        b"expr_delete",
    )
)
"""Foreign functions that Envoy has and this host has not."""


class SystemCalls(HostState):
    """Log, time, randomness, environment, foreign functions."""

    @served
    def proxy_log(self, level: int, message: bytes) -> int:
        if level > max(LogLevel):
            return Status.BAD_ARGUMENT
        self.logs.append(LogLine(level, message))
        return Status.OK

    @served
    def proxy_get_log_level(self) -> tuple[int, int]:
        return Status.OK, self.log_level

    @served
    def proxy_get_current_time_nanoseconds(self) -> tuple[int, int]:
        return Status.OK, self.clock_ns

    @served
    def proxy_set_tick_period_milliseconds(self, period_ms: int) -> int:
        self.tick_period_ms = period_ms
        return Status.OK

    @served
    def pthread_equal(self, left: int, right: int) -> int:
        return int(left == right)

    @served
    def emscripten_notify_memory_growth(self, memory: int) -> None:
        return None

    # --- foreign functions -----------------------------------------------------------

    @served
    def proxy_call_foreign_function(
        self, name: bytes, arguments: bytes
    ) -> tuple[int, bytes]:
        match name:
            case b"declare_property":
                return self._declare_property(arguments), b""
            case b"clear_route_cache":
                self.route_cache_clears += 1
                return Status.OK, b""
            case b"compress":
                return Status.OK, zlib.compress(arguments)
            case b"uncompress":
                return _uncompress(arguments)
        if name in NOT_EMULATED:
            raise not_emulated(f"the foreign function {name.decode()}")
        return Status.NOT_FOUND, b""

    def _declare_property(self, arguments: bytes) -> int:
        try:
            fields = read_fields(arguments)
        except ValueError:
            return Status.BAD_ARGUMENT
        name, is_readonly, span = fields.get(1, b""), fields.get(2, 0), fields.get(5, 0)
        if not isinstance(name, bytes) or not isinstance(span, int):
            return Status.BAD_ARGUMENT
        # a stream has declarations of its own, which nothing reads
        key = (self.effective, name)
        if key in self.declared:
            return Status.BAD_ARGUMENT
        self.declared[key] = (bool(is_readonly), span)
        return Status.OK

    # --- WASI ------------------------------------------------------------------------

    def _environment_text(self) -> list[bytes]:
        return [f"{k}={v}".encode() + b"\0" for k, v in self.environment.items()]

    @served
    def environ_sizes_get(self) -> tuple[int, int, int]:
        lines = self._environment_text()
        return Errno.SUCCESS, len(lines), sum(map(len, lines))

    @served
    def environ_get(self, pointers: Area, text: Area) -> int:
        at, address = 0, getattr(text, "address", 0)
        for i, line in enumerate(self._environment_text()):
            pointers.put_u32(4 * i, address + at)
            text.put(at, line)
            at += len(line)
        return Errno.SUCCESS

    @served
    def random_get(self, target: Area, length: int) -> int:
        if length > MAX_RANDOM_BYTES:
            return Errno.INVALID
        self.random_seed += 1
        seed = self.random_seed.to_bytes(8, "little")
        target.put(0, hashlib.shake_256(seed).digest(length))
        return Errno.SUCCESS

    @served
    def clock_time_get(self, clock: int, precision: int) -> tuple[int, int]:
        if clock not in (ClockId.REALTIME, ClockId.MONOTONIC):
            return Errno.NOT_SUPPORTED, 0
        return Errno.SUCCESS, self.clock_ns


def _uncompress(data: bytes) -> tuple[int, bytes]:
    try:
        return Status.OK, zlib.decompress(data)
    except zlib.error:
        return Status.SERIALIZATION_FAILURE, b""

"""What the emulated host remembers, and how a hostcall enters it.

`served` wraps every hostcall of the host: it counts the call, lets a test make it
fail, and refuses what Envoy refuses in this moment. The calls themselves are in
host_*.py, one file for each kind; host.py puts them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from generator.wasm.context import Context, HeaderList, LocalResponse
from generator.wasm.errors import GuestTrap
from generator.wasm.hostcalls import HOSTCALLS, zero_results

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="HostState")


class LogLine(NamedTuple):
    """One call of `proxy_log`."""

    level: int
    message: bytes


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request that the guest sent with `proxy_http_call`."""

    token: int
    context_id: int
    cluster: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...]
    timeout_ms: int


@dataclass
class Metric:
    """A counter or gauge, or the values that a histogram got."""

    kind: int
    value: int = 0
    recorded: list[int] = field(default_factory=list)


@dataclass
class SharedState:
    """What all VMs of one proxy see: shared data, queues, metrics."""

    data: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    last_cas: int = 0
    queues: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    queued: dict[int, list[bytes]] = field(default_factory=dict)
    metrics: dict[tuple[int, bytes], Metric] = field(default_factory=dict)


@dataclass
class HostState:
    """The host's side of one VM. Tests set it up and read it back.

    `properties` maps paths (segments joined by zero bytes, `property_path`) to bytes.
    `failing` maps a hostcall's name to the status that it shall answer, undone.
    `allowed` is what may be called now; None means everything. `pending_done` are
    contexts that asked to live on, `finished` those that `proxy_done` ended since.
    """

    plugin_configuration: bytes = b""
    vm_configuration: bytes = b""
    vm_id: bytes = b""
    properties: dict[bytes, bytes] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    clusters: set[bytes] = field(default_factory=set)
    clock_ns: int = 1_700_000_000_000_000_000
    log_level: int = 2
    random_seed: int = 0
    shared: SharedState = field(default_factory=SharedState)
    failing: dict[str, int] = field(default_factory=dict)

    logs: list[LogLine] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    http_calls: list[HttpCall] = field(default_factory=list)
    tick_period_ms: int = 0
    route_cache_clears: int = 0
    pending_done: set[int] = field(default_factory=set)
    finished: list[int] = field(default_factory=list)
    call_status: tuple[int, bytes] = (0, b"")

    contexts: dict[int, Context] = field(default_factory=lambda: {0: Context(0)})
    effective: int = 0
    is_configuring: bool = False
    allowed: frozenset[str] | None = None
    metric_ids: dict[int, Metric] = field(default_factory=dict)
    declared: dict[tuple[int, bytes], tuple[bool, int]] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        """The context that hostcalls act on now."""
        return self.contexts[self.effective]

    @property
    def header_maps(self) -> dict[int, HeaderList]:
        return self.context.header_maps

    @property
    def local_response(self) -> LocalResponse | None:
        return self.context.local_response

    @property
    def metrics(self) -> dict[bytes, int]:
        """Values of all counters and gauges by name."""
        return {name: m.value for (_, name), m in self.shared.metrics.items()}

    def log_text(self) -> list[str]:
        """The messages that the guest logged."""
        return [line.message.decode(errors="replace") for line in self.logs]


def served(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Make a method a hostcall of the host."""
    name = method.__name__
    zeros = zero_results(HOSTCALLS[name])

    @wraps(method)
    def serve(host: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        host.calls[name] += 1
        if host.allowed is not None and name not in host.allowed:
            raise GuestTrap(f"restricted_callback: {name} is not allowed here")
        forced = host.failing.get(name)
        if forced is not None:
            failed: Any = (forced, *zeros) if zeros else forced
            return failed  # type: ignore[no-any-return]
        return method(host, *args, **kwargs)

    return serve


def property_path(*segments: str | bytes) -> bytes:
    """Join the segments of a property's path."""
    return b"\0".join(s.encode() if isinstance(s, str) else s for s in segments)

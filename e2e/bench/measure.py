"""Compare listeners of one Envoy: CPU per request and latency, interleaved.

All variants live in one process and take turns, in short rounds and in an order that
rotates: whatever else the machine does hits them alike. CPU comes from the scheduler's
own account of the process (`/proc/PID/task/*/schedstat`), which is far steadier than
latency. What a variant costs more than its base is the median of the differences
within each round, so neither a slow minute nor a disturbed round tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median, quantiles

from e2e.bench.load import Crowd
from e2e.bench.turns import in_turns
from e2e.envoy import Envoy

REQUESTS_PER_TURN = 100
_WARM_UP_TURNS = 5
_SETTLING_REQUESTS = 2


@dataclass(frozen=True, slots=True)
class Variant:
    """A listener to measure, and the one (by name) that it is compared to.

    `request` is asked anew for every turn.
    """

    name: str
    source: str
    address: str
    port: int
    request: Callable[[], bytes]
    base: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one variant cost in one round; microseconds."""

    cpu_us: float
    latencies_us: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one variant cost, in microseconds; `more` is what it cost above its base.

    `spread` is the distance between the quartiles of the rounds' differences.
    """

    name: str
    base: str
    cpu_us: float
    more_cpu_us: float
    spread_us: float
    p50_us: float
    more_p50_us: float
    p99_us: float


def compare(
    envoy: Envoy, variants: Sequence[Variant], rounds: int, in_flight: int = 1
) -> list[Figures]:
    """Measure all variants in turn, `rounds` times, with requests in flight."""
    by_name = {v.name: v for v in variants}
    with ExitStack() as stack:
        clients = {
            v.name: stack.enter_context(Crowd(v.source, v.address, v.port, in_flight))
            for v in variants
        }
        for variant in variants:
            for _ in range(_WARM_UP_TURNS):
                _take_turn(envoy, variant, clients[variant.name])
        turns = in_turns(
            list(by_name),
            rounds,
            lambda name: _take_turn(envoy, by_name[name], clients[name]),
        )
    return [_figures(v, turns[v.name], turns[v.base or v.name]) for v in variants]


def _take_turn(envoy: Envoy, variant: Variant, client: Crowd) -> Turn:
    request = variant.request()
    client.send(request, _SETTLING_REQUESTS)
    before = envoy.cpu_ns()
    latencies = client.send(request, REQUESTS_PER_TURN)
    cpu_ns = envoy.cpu_ns() - before
    return Turn(cpu_ns / len(latencies) / 1000, tuple(ns / 1000 for ns in latencies))


def _figures(variant: Variant, turns: Sequence[Turn], base: Sequence[Turn]) -> Figures:
    pairs = list(zip(turns, base, strict=True))
    more_cpu = [turn.cpu_us - other.cpu_us for turn, other in pairs]
    more_p50 = [
        median(turn.latencies_us) - median(other.latencies_us) for turn, other in pairs
    ]
    latencies = [latency for turn in turns for latency in turn.latencies_us]
    quarters = quantiles(more_cpu, n=4)
    return Figures(
        name=variant.name,
        base=variant.base,
        cpu_us=median(turn.cpu_us for turn in turns),
        more_cpu_us=quarters[1],
        spread_us=quarters[2] - quarters[0],
        p50_us=median(latencies),
        more_p50_us=median(more_p50),
        p99_us=quantiles(latencies, n=100)[98],
    )

"""Compare listeners of one Envoy: CPU per request and latency, interleaved.

All variants live in one process and take turns, round after round, in an order that
rotates: whatever else the machine does hits them alike. CPU comes from the scheduler's
own account of the process (`/proc/PID/task/*/schedstat`), which is far steadier than
latency. The median over rounds is reported, so a disturbed round does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from e2e.bench.load import Client
from e2e.envoy import Envoy

WARM_UP_REQUESTS = 300


@dataclass(frozen=True, slots=True)
class Variant:
    """A listener to measure. `request` is asked anew for every round."""

    name: str
    source: str
    address: str
    port: int
    request: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one variant cost; microseconds. `cpu_us` is the median over rounds."""

    name: str
    cpu_us: float
    cpu_spread_us: float
    p50_us: float
    p99_us: float


def compare(
    envoy: Envoy, variants: Sequence[Variant], rounds: int, requests: int
) -> list[Figures]:
    """Measure all variants in turn, `rounds` times `requests` each."""
    cpu: dict[str, list[float]] = {v.name: [] for v in variants}
    latency: dict[str, list[int]] = {v.name: [] for v in variants}
    for variant in variants:
        _run(envoy, variant, WARM_UP_REQUESTS)
    for number in range(rounds):
        turn = number % len(variants)
        for variant in (*variants[turn:], *variants[:turn]):
            cpu_ns, latencies = _run(envoy, variant, requests)
            cpu[variant.name].append(cpu_ns / requests / 1000)
            latency[variant.name] += latencies
    return [_figures(v.name, cpu[v.name], latency[v.name]) for v in variants]


def _run(envoy: Envoy, variant: Variant, requests: int) -> tuple[int, list[int]]:
    with Client(variant.source, variant.address, variant.port) as client:
        request = variant.request()
        client.send(request, 10)  # the connection and its upstream are up
        before = envoy.cpu_ns()
        latencies = client.send(request, requests)
        return envoy.cpu_ns() - before, latencies


def _figures(name: str, cpu_us: Sequence[float], latency: Sequence[int]) -> Figures:
    quarters = quantiles(cpu_us, n=4) if len(cpu_us) > 1 else [cpu_us[0]] * 3
    percentiles = quantiles(latency, n=100)
    return Figures(
        name=name,
        cpu_us=median(cpu_us),
        cpu_spread_us=quarters[2] - quarters[0],
        p50_us=percentiles[49] / 1000,
        p99_us=percentiles[98] / 1000,
    )

"""Three ways to send requests to the variants of one Envoy, all of them in turns.

    steady      16 requests in flight, CPU only, many short turns: the figure to compare
    paced       1,000 requests per second, an open loop: latencies as people meet them
    saturated   as many as it takes, from wrk

CPU is the scheduler's account of the whole Envoy process over the requests of one turn
(`/proc/PID/task/*/schedstat`), in µs per request. What a variant costs more than its
base is taken within each round. `requests` are those of one turn. All functions
return, by the kind's name, a record of spreads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from typing import Final

from e2e.bench.load import Crowd
from e2e.bench.paced import Pace, PacedClient
from e2e.bench.results import Record
from e2e.bench.saturated import flood
from e2e.bench.spread import differences, spread
from e2e.bench.turns import in_turns
from e2e.bench.variants import SENDER, Variant
from e2e.envoy import Envoy

IN_FLIGHT: Final = 16
RATE: Final = 1000
_SETTLING_REQUESTS: Final = IN_FLIGHT
PERCENTS: Final = (50, 90, 99)

_Figures = dict[str, float]
"""What one turn found, by name."""


def steady(
    envoy: Envoy, variants: Sequence[Variant], rounds: int, requests: int
) -> dict[str, Record]:
    """Return `steady`: `cpu_us`."""
    with ExitStack() as stack:
        crowds = {
            v.kind.name: stack.enter_context(
                Crowd(SENDER, v.place.address, v.place.port, IN_FLIGHT)
            )
            for v in variants
        }

        def turn(variant: Variant) -> _Figures:
            crowd, request = crowds[variant.kind.name], variant.request()
            crowd.send(request, _SETTLING_REQUESTS)
            before = envoy.cpu_ns()
            answers = crowd.send(request, requests)
            return {"cpu_us": (envoy.cpu_ns() - before) / len(answers) / 1000}

        return _in_turns("steady", variants, rounds, turn)


def paced(
    envoy: Envoy, variants: Sequence[Variant], rounds: int, requests: int
) -> dict[str, Record]:
    """Return `paced`: latencies, `cpu_us`, the `rate` kept, how `late_us` it sent."""
    with ExitStack() as stack:
        clients = {
            v.kind.name: stack.enter_context(
                PacedClient(SENDER, v.place.address, v.place.port)
            )
            for v in variants
        }

        def turn(variant: Variant) -> _Figures:
            client, request = clients[variant.kind.name], variant.request()
            client.run(request, RATE, _SETTLING_REQUESTS)
            before = envoy.cpu_ns()
            pace = client.run(request, RATE, requests)
            cpu_us = (envoy.cpu_ns() - before) / requests / 1000
            return {"cpu_us": cpu_us, "rate": pace.rate} | _latencies(pace)

        return _in_turns("paced", variants, rounds, turn)


def saturated(
    envoy: Envoy, variants: Sequence[Variant], rounds: int, seconds: int, scratch: Path
) -> dict[str, Record]:
    """Return `saturated`: latencies, `cpu_us`, and the `rate` reached, perhaps 0."""

    def turn(variant: Variant) -> _Figures:
        before = envoy.cpu_ns()
        found = flood(variant.place, variant.request(), scratch, seconds)
        cpu_us = (envoy.cpu_ns() - before) / max(1, found.requests) / 1000
        return {"cpu_us": cpu_us, "rate": found.rate} | found.latencies_us

    return _in_turns("saturated", variants, rounds, turn)


def _latencies(pace: Pace) -> _Figures:
    cuts = quantiles(pace.latencies_us, n=100, method="inclusive")
    found = {f"p{part}_us": cuts[part - 1] for part in PERCENTS}
    # One request at least found a connection free: the first.
    late = sorted(pace.late_us)[len(pace.late_us) * 99 // 100]
    return found | {"late_us": late}


def _in_turns(
    way: str,
    variants: Sequence[Variant],
    rounds: int,
    turn: Callable[[Variant], _Figures],
) -> dict[str, Record]:
    """Let all take turns; sum up each, and what is above its base, under `way`."""
    by_name = {variant.kind.name: variant for variant in variants}
    turns = in_turns(list(by_name), rounds, lambda name: turn(by_name[name]))
    return {
        name: {
            way: sum_up(
                turns[name],
                {
                    "more": turns.get(variant.kind.base),
                    "over": turns.get(variant.kind.also),
                },
            )
        }
        for name, variant in by_name.items()
    }


def sum_up(
    turns: Sequence[_Figures], others: Mapping[str, Sequence[_Figures] | None]
) -> Record:
    """Return the spread of each figure, and of what it is above others' figures.

    The latter are called by the others' key: `more_cpu_us`.
    """
    record: Record = {}
    for key in turns[0]:
        own = [turn[key] for turn in turns]
        record[key] = spread(own).record()
        for word, other in others.items():
            if other is not None:
                above = differences(own, [turn[key] for turn in other])
                record[f"{word}_{key}"] = spread(above).record()
    return record

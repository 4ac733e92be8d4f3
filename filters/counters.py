"""Counters: one per direction and reason, `pepmesh_<direction>_<reason>`.

A counter is defined when it is first needed, so that a proxy shows what happened to
it and no more. A counter that cannot be defined does not change a verdict. Denials are
counted at once; allowed requests are collected here and handed over every second, which
saves a host call on the path that matters.
"""

from __future__ import annotations

from filters.abi import MetricType, Status
from filters.configuration import Direction
from filters.hostcalls import proxy_define_metric, proxy_increment_metric
from filters.lang import Words, u32
from filters.reasons import COUNT, Reason, reason_name
from filters.text import line, start_line, write

METRICS = Words(3 * COUNT)  # metric id + 1, or 0


ALLOWED = Words(3)  # allowed requests by direction, not yet handed over


def count_allowed(direction: u32) -> None:
    """Note an allowed request."""
    slot = min(direction, 2)
    ALLOWED[slot] = u32(ALLOWED[slot] + 1)


def hand_over() -> None:
    """Give the host what was collected."""
    for direction in range(3):
        if ALLOWED[direction] > 0:
            add(direction, Reason.ALLOWED, ALLOWED[direction])
            ALLOWED[direction] = 0


def count(direction: u32, reason: u32) -> None:
    """Add one to a counter."""
    add(direction, reason, 1)


def add(direction: u32, reason: u32, amount: u32) -> None:
    slot = u32(min(direction, 2) * COUNT + min(reason, COUNT - 1))
    if METRICS[slot] == 0:
        METRICS[slot] = define(direction, reason)
    if METRICS[slot] != 0:
        proxy_increment_metric(u32(METRICS[slot] - 1), amount)


def define(direction: u32, reason: u32) -> u32:
    start_line()
    write(b"pepmesh_")
    if direction == Direction.INBOUND:
        write(b"inbound_")
    elif direction == Direction.OUTBOUND:
        write(b"outbound_")
    write(reason_name(reason))
    status, metric = proxy_define_metric(MetricType.COUNTER, line())
    return u32(metric + 1) if status == Status.OK else 0

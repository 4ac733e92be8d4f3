"""Shared data, queues and metrics, on both back ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generator.wasm.host import Host

Call = Callable[..., Any]

COUNTER, GAUGE, HISTOGRAM = 0, 1, 2


# --- shared data: a write with a stale number is refused ------------------------------


def test_compare_and_swap(call: Call) -> None:
    assert call("proxy_get_shared_data", b"k") == (1, b"", 0)
    assert call("proxy_set_shared_data", b"k", b"a", 0) == 0
    status, value, cas = call("proxy_get_shared_data", b"k")
    assert (status, value) == (0, b"a")
    assert cas != 0
    assert call("proxy_set_shared_data", b"k", b"b", cas + 1) == 8
    assert call("proxy_set_shared_data", b"k", b"b", cas) == 0
    assert call("proxy_set_shared_data", b"k", b"c", cas) == 8
    assert call("proxy_set_shared_data", b"k", b"d", 0) == 0
    assert call("proxy_get_shared_data", b"k")[1] == b"d"


def test_any_number_makes_a_new_value(call: Call) -> None:
    assert call("proxy_set_shared_data", b"k", b"a", 99) == 0


def test_shared_by_all_vms(host: Host, call: Call) -> None:
    assert call("proxy_set_shared_data", b"k", b"a", 0) == 0
    other = Host(shared=host.shared)
    assert other.proxy_get_shared_data(b"k")[1] == b"a"


# --- queues ---------------------------------------------------------------------------


def test_queue(host: Host, call: Call) -> None:
    host.vm_id = b"vm"
    status, queue = call("proxy_register_shared_queue", b"q")
    assert status == 0
    assert call("proxy_register_shared_queue", b"q") == (0, queue)
    assert call("proxy_resolve_shared_queue", b"vm", b"q") == (0, queue)
    assert call("proxy_resolve_shared_queue", b"other", b"q") == (1, 0)
    assert call("proxy_enqueue_shared_queue", queue, b"1") == 0
    assert call("proxy_enqueue_shared_queue", queue, b"2") == 0
    assert call("proxy_dequeue_shared_queue", queue) == (0, b"1")
    assert call("proxy_dequeue_shared_queue", queue) == (0, b"2")
    assert call("proxy_dequeue_shared_queue", queue) == (7, b"")


def test_unknown_queue(call: Call) -> None:
    assert call("proxy_enqueue_shared_queue", 77, b"1") == 1
    assert call("proxy_dequeue_shared_queue", 77) == (1, b"")


# --- metrics: by name; the same name again is the same metric, a new id ---------------


def test_counter(host: Host, call: Call) -> None:
    _, first = call("proxy_define_metric", COUNTER, b"denied")
    _, second = call("proxy_define_metric", COUNTER, b"denied")
    assert first != second
    assert call("proxy_increment_metric", first, 2) == 0
    assert call("proxy_increment_metric", second, 3) == 0
    assert call("proxy_get_metric", first) == (0, 5)
    assert call("proxy_record_metric", first, 4) == 0
    assert host.metrics == {b"denied": 9}


def test_counter_does_not_fall(call: Call) -> None:
    _, counter = call("proxy_define_metric", COUNTER, b"denied")
    assert call("proxy_increment_metric", counter, -1) == 2
    assert call("proxy_get_metric", counter) == (0, 0)


def test_gauge(call: Call) -> None:
    _, gauge = call("proxy_define_metric", GAUGE, b"open")
    assert call("proxy_record_metric", gauge, 1 << 40) == 0
    assert call("proxy_increment_metric", gauge, -1) == 0
    assert call("proxy_get_metric", gauge) == (0, (1 << 40) - 1)


def test_histogram(host: Host, call: Call) -> None:
    _, histogram = call("proxy_define_metric", HISTOGRAM, b"time")
    assert call("proxy_record_metric", histogram, 7) == 0
    assert call("proxy_increment_metric", histogram, 7) == 2
    assert call("proxy_get_metric", histogram) == (2, 0)
    assert host.shared.metrics[HISTOGRAM, b"time"].recorded == [7]


def test_unknown_metric(call: Call) -> None:
    assert call("proxy_define_metric", 3, b"x") == (2, 0)
    assert call("proxy_increment_metric", 400, 1) == 1
    assert call("proxy_record_metric", 400, 1) == 1
    assert call("proxy_get_metric", 400) == (1, 0)

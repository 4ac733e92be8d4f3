"""Hostcalls on what the VMs of one proxy share: data, queues, metrics.

Source: envoy-wasm, sections 2.2, 2.10. Metric ids carry the kind in their low bits
and a name that is defined again gets a new id of the same metric.
"""

from __future__ import annotations

from typing import Final

from filters.abi import MetricType, Status
from generator.wasm.state import HostState, Metric, served

KIND_BITS: Final = 2


class SharedCalls(HostState):
    """Shared data, queues and metrics."""

    @served
    def proxy_get_shared_data(self, key: bytes) -> tuple[int, bytes, int]:
        if key not in self.shared.data:
            return Status.NOT_FOUND, b"", 0
        return Status.OK, *self.shared.data[key]

    @served
    def proxy_set_shared_data(self, key: bytes, value: bytes, cas: int) -> int:
        _, current = self.shared.data.get(key, (b"", cas))
        if cas not in (0, current):
            return Status.CAS_MISMATCH
        self.shared.last_cas += 1
        self.shared.data[key] = (value, self.shared.last_cas)
        return Status.OK

    @served
    def proxy_register_shared_queue(self, name: bytes) -> tuple[int, int]:
        queues = self.shared.queues
        queue = queues.setdefault((self.vm_id, name), len(queues) + 1)
        self.shared.queued.setdefault(queue, [])
        return Status.OK, queue

    @served
    def proxy_resolve_shared_queue(self, vm_id: bytes, name: bytes) -> tuple[int, int]:
        queue = self.shared.queues.get((vm_id, name))
        return (Status.NOT_FOUND, 0) if queue is None else (Status.OK, queue)

    @served
    def proxy_enqueue_shared_queue(self, queue: int, data: bytes) -> int:
        if queue not in self.shared.queued:
            return Status.NOT_FOUND
        self.shared.queued[queue].append(data)
        return Status.OK

    @served
    def proxy_dequeue_shared_queue(self, queue: int) -> tuple[int, bytes]:
        if queue not in self.shared.queued:
            return Status.NOT_FOUND, b""
        if not self.shared.queued[queue]:
            return Status.EMPTY, b""
        return Status.OK, self.shared.queued[queue].pop(0)

    # --- metrics ---------------------------------------------------------------------

    @served
    def proxy_define_metric(self, kind: int, name: bytes) -> tuple[int, int]:
        if kind > max(MetricType):
            return Status.BAD_ARGUMENT, 0
        metric = self.shared.metrics.setdefault((kind, name), Metric(kind))
        metric_id = ((len(self.metric_ids) + 1) << KIND_BITS) | kind
        self.metric_ids[metric_id] = metric
        return Status.OK, metric_id

    @served
    def proxy_increment_metric(self, metric: int, delta: int) -> int:
        found = self.metric_ids.get(metric)
        if found is None:
            return Status.NOT_FOUND
        is_falling_counter = found.kind == MetricType.COUNTER and delta <= 0
        if found.kind == MetricType.HISTOGRAM or is_falling_counter:
            return Status.BAD_ARGUMENT
        found.value += delta
        return Status.OK

    @served
    def proxy_record_metric(self, metric: int, value: int) -> int:
        found = self.metric_ids.get(metric)
        if found is None:
            return Status.NOT_FOUND
        match found.kind:
            case MetricType.COUNTER:
                found.value += value
            case MetricType.GAUGE:
                found.value = value
            case _:
                found.recorded.append(value)
        return Status.OK

    @served
    def proxy_get_metric(self, metric: int) -> tuple[int, int]:
        found = self.metric_ids.get(metric)
        if found is None:
            return Status.NOT_FOUND, 0
        if found.kind == MetricType.HISTOGRAM:
            return Status.BAD_ARGUMENT, 0
        return Status.OK, found.value & 0xFFFF_FFFF_FFFF_FFFF

"""The memory of strict keys against a slow one, on both back ends."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.reasons import Reason
from filters.spent import BUCKETS, WAYS
from tests.support.guests import Probe, probes

PROBES = probes("tests/filters/probes.py")
each_backend = pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.backend)

WINDOW = 20_000
NOW = 1_700_000_000_000
WRAP = NOW // 2**32 * 2**32 + 2**32
"""Where the low half of the time, which is all that a mark has, starts again."""


@dataclass
class Memory:
    """What spent.py says it does: everything remembered, oldest first, or forgotten."""

    taken: dict[int, set[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    forgotten: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def spend(self, mac: int, time: int) -> Reason:
        bucket = mac % BUCKETS
        if time <= self.forgotten[bucket]:
            return Reason.KEY_FORGOTTEN
        key = (time, mac)
        if key in self.taken[bucket]:
            return Reason.KEY_REPLAYED
        self.taken[bucket].add(key)
        if len(self.taken[bucket]) > WAYS:
            oldest = min(self.taken[bucket])
            self.taken[bucket].remove(oldest)
            self.forgotten[bucket] = oldest[0]
        return Reason.ALLOWED


def spend_all(probe: Probe, keys: Iterable[tuple[int, int, int]]) -> list[Reason]:
    """Offer (MAC, time, newest time) in turn to a memory that is empty."""
    probe.ask("probe_forget")
    return [
        Reason(probe.ask("probe_spend", given=struct.pack("<QQQ", *key)))
        for key in keys
    ]


BUSY = st.builds(
    lambda bucket, number: bucket + BUCKETS * number + (number << 32),
    st.integers(0, 1),
    st.integers(1, 40),
)


@each_backend
@given(
    st.lists(st.tuples(BUSY, st.integers(0, WINDOW), st.integers(0, 30)), max_size=120),
    st.sampled_from([NOW, WRAP - WINDOW - 200, WRAP - 100, WRAP]),
)
def test_it_is_the_slow_memory(
    probe: Probe, offers: list[tuple[int, int, int]], start: int
) -> None:
    """Few buckets and few MACs, so that they fill, and much comes again."""
    newest, keys = start, []
    for mac, age, later in offers:
        newest += later
        keys.append((mac, newest - age, newest))
    memory = Memory()
    assert spend_all(probe, keys) == [memory.spend(mac, time) for mac, time, _ in keys]


@each_backend
@given(st.lists(st.tuples(BUSY, st.integers(0, WINDOW)), max_size=120))
def test_nothing_is_taken_twice(probe: Probe, offers: list[tuple[int, int]]) -> None:
    keys = [(mac, NOW - age, NOW) for mac, age in offers] * 2
    answers = zip(spend_all(probe, keys), keys, strict=True)
    taken = [key for answer, key in answers if answer is Reason.ALLOWED]
    assert len(taken) == len(set(taken))


@each_backend
def test_a_bucket_forgets_the_oldest_first(probe: Probe) -> None:
    full = [(number << 32, NOW + number, NOW + WINDOW) for number in range(WAYS)]
    more = (99 << 32, NOW + 50, NOW + WINDOW)
    late = (98 << 32, NOW, NOW + WINDOW)
    again = [full[1], late, full[0], more]
    expected = [Reason.ALLOWED] * (WAYS + 1)
    expected += [Reason.KEY_REPLAYED, *[Reason.KEY_FORGOTTEN] * 2, Reason.KEY_REPLAYED]
    assert spend_all(probe, [*full, more, *again]) == expected


@each_backend
def test_a_clock_that_is_ahead_does_not_lock_others_out(probe: Probe) -> None:
    """What others send now is taken, though none of it is remembered for long."""
    ahead = [(number << 32, NOW + 5_000, NOW + WINDOW) for number in range(1, 50)]
    others = [(number << 32, NOW + number, NOW + WINDOW) for number in range(100, 110)]
    answers = spend_all(probe, [*ahead[:WAYS], *others, *others])
    assert answers[: WAYS + 10] == [Reason.ALLOWED] * (WAYS + 10)
    assert answers[WAYS + 10 :] == [Reason.KEY_FORGOTTEN] * 10


@each_backend
def test_buckets_are_apart(probe: Probe) -> None:
    keys = [(bucket, NOW, NOW) for bucket in range(BUCKETS)]
    answers = spend_all(probe, keys * 2)
    assert answers == [Reason.ALLOWED] * BUCKETS + [Reason.KEY_REPLAYED] * BUCKETS


@each_backend
def test_old_marks_make_room_without_a_trace(probe: Probe) -> None:
    """What has expired is no reason to refuse anything, however full the bucket."""
    old = [(number << 32, NOW, NOW) for number in range(1, WAYS + 1)]
    day = NOW + 24 * 3600 * 1000
    new = [(number << 32, day - WINDOW, day) for number in range(1, WAYS + 1)]
    assert spend_all(probe, [*old, *new]) == [Reason.ALLOWED] * (2 * WAYS)

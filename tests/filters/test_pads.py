"""Expanded keys against the standard library, on both back ends."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from filters.pads import PAIRS
from tests.support.guests import Probe, probes

PROBES = probes("tests/filters/probes.py")
each_backend = pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.backend)

# More of each than there are places, so that pairs meet that differ in one of the two.
TARGETS = [(24 + 40 * number, 1) for number in range(2 * PAIRS)]
SENDERS = [(24, workload) for workload in range(1, 2 * PAIRS)]


def key_and_head(row: int, workload: int) -> bytes:
    """96 bytes that are a pair's own."""
    return hashlib.shake_256(b"%d %d" % (row, workload)).digest(96)


def ask(probe: Probe, row: int, workload: int, message: bytes) -> bool:
    """Have a MAC made, check it, and tell whether its key was kept from before."""
    own = key_and_head(row, workload)
    kept = probe.ask("probe_pads", row, workload, given=own + message)
    assert probe.out == hmac.digest(own[:32], own[32:] + message, "sha256")
    return bool(kept)


@each_backend
def test_every_pair_has_its_own_key(probe: Probe) -> None:
    for row, workload in [*TARGETS, *SENDERS]:
        ask(probe, row, workload, b"a message")
        assert ask(probe, row, workload, b"another")


@each_backend
def test_what_is_forgotten_is_not_used(probe: Probe) -> None:
    ask(probe, 24, 1, b"x")
    assert ask(probe, 24, 1, b"x")
    probe.ask("probe_forget_pads")
    assert not ask(probe, 24, 1, b"x")


@each_backend
def test_pairs_share_the_places(probe: Probe) -> None:
    """Neither all workloads of a row nor all rows of a workload meet in a few."""
    for pairs in (TARGETS[: PAIRS // 2], SENDERS[: PAIRS // 2]):
        probe.ask("probe_forget_pads")
        for row, workload in pairs:
            ask(probe, row, workload, b"")
        kept = [ask(probe, row, workload, b"") for row, workload in pairs]
        assert sum(kept) >= len(pairs) // 2

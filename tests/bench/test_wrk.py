"""What wrk prints is read in full: answers that are not 2xx, and those missing."""

from __future__ import annotations

import pytest

from e2e.bench.wrk import Served, read_report

REPORT = """Running 1s test @ http://127.0.0.1:8080/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.31ms    2.07ms  28.52ms   96.40%
    Req/Sec     8.32k     1.60k   10.31k    80.00%
  8306 requests in 1.00s, 2.73MB read
"""
SUMMARY = "Requests/sec:   8305.10\nTransfer/sec:      2.73MB\n"


@pytest.mark.parametrize(
    ("more", "served"),
    [
        ("", Served(8306, 0)),
        ("  Non-2xx or 3xx responses: 12\n", Served(8306, 12)),
        (
            "  Socket errors: connect 1, read 20, write 300, timeout 4000\n",
            Served(8306, 4321),
        ),
        (
            "  Socket errors: connect 0, read 2, write 0, timeout 0\n"
            "  Non-2xx or 3xx responses: 5\n",
            Served(8306, 7),
        ),
    ],
)
def test_report(more: str, served: Served) -> None:
    assert read_report(REPORT + more + SUMMARY) == served


def test_slices_add_up() -> None:
    assert Served(10, 1) + Served(5, 2) == Served(15, 3)


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(ValueError, match="not a report"):
        read_report("unable to connect to 127.0.0.1:8080\n")

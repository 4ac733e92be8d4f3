"""Hypothesis profiles: `PEPMESH_HYPOTHESIS=dev|default|ci|fuzz|stress` picks one.

CI runs a fixed seed, so that a red build is red again. `make fuzz` runs rounds of
`fuzz`, each with another seed (tests/fuzz.py).
"""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("dev", max_examples=10, deadline=None)
settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=50, deadline=None, derandomize=True, suppress_health_check=SLOW
)
settings.register_profile(
    "stress", max_examples=5000, deadline=None, suppress_health_check=SLOW
)
settings.register_profile(
    "fuzz", max_examples=100, deadline=None, suppress_health_check=SLOW
)
chosen = "ci" if os.environ.get("CI") else "default"
settings.load_profile(os.environ.get("PEPMESH_HYPOTHESIS", chosen))


def pytest_sessionstart() -> None:
    """Let Ctrl-C end what tests start, even if this run itself was told to ignore it.

    A shell starts background jobs with SIGINT ignored, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)

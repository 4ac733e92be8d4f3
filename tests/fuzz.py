"""Fuzz for some time: `python -m tests.fuzz SECONDS`, or `make fuzz SECONDS=600`.

Rounds of the differential tests, each with a seed of its own, until the time is over; a
round that has begun is finished. It stops at the first round that fails and shows what
pytest said; the exit code is 0, or pytest's. A failure is kept in `.hypothesis`, so
that the next run of the tests, of any kind, starts with it.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Final

FILES: Final = ("tests/test_differential.py", "tests/compiler/test_differential.py")
_PASSING: Final = re.compile(r"^ +- (\d+) passing", re.MULTILINE)


def fuzz(seconds: float, files: Sequence[str] = FILES) -> int:
    """Run rounds; return the exit code."""
    start = monotonic()
    examples = rounds = 0
    while True:
        seed = random.SystemRandom().randrange(2**32)
        code, output = run_round(files, seed)
        examples += count_examples(output)
        rounds += 1
        spent = monotonic() - start
        _say(f"round {rounds}, seed {seed}: {examples} examples in {spent:.0f} s")
        if code != 0:
            _say(output)
            return code
        if spent >= seconds:
            return 0


def run_round(files: Sequence[str], seed: int) -> tuple[int, str]:
    """Run the tests once; return pytest's exit code and what it said."""
    options = ("-q", "-x", "--hypothesis-show-statistics", f"--hypothesis-seed={seed}")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", *options, *files),
        env={**os.environ, "PEPMESH_HYPOTHESIS": "fuzz"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def count_examples(output: str) -> int:
    """Add up the examples that passed, by the statistics of Hypothesis."""
    return sum(int(count) for count in _PASSING.findall(output))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(fuzz(float(sys.argv[1])))

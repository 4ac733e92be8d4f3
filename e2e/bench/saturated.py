"""As many requests as an Envoy can take, from wrk.

wrk is a load generator in C, a package of Debian and Ubuntu. Latencies at saturation
are those of a queue of `CONNECTIONS` requests, so they follow from the rate.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.bench.load import Unexpected
from e2e.bench.sidecar import Place
from e2e.bench.wrk import find_wrk

CONNECTIONS: Final = 32
_PATIENCE_S: Final = 60
_SCRIPT: Final = Path(__file__).with_name("saturate.lua")


@dataclass(frozen=True, slots=True)
class Flood:
    """What wrk saw: answers, answers per second, latencies as `p50_us`, `p90_us`..."""

    requests: int
    rate: float
    latencies_us: dict[str, float]


def wrk_version() -> str:
    """Return wrk's own name for its version. Raises: NoWrk."""
    command = [find_wrk(), "-v"]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    return text.split("[")[0].removeprefix("wrk").strip()


def flood(place: Place, request: bytes, scratch: Path, seconds: int) -> Flood:
    """Send a request as often as can be.

    Raises: NoWrk; Unexpected if any answer was not 200.
    """
    file = scratch / "request"
    file.write_bytes(request)
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"--timeout={_PATIENCE_S}s"]
    url = f"http://{place.address}:{place.port}"
    command = [find_wrk(), *options, "-s", str(_SCRIPT), url, "--", str(file)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return read_flood(result.stdout)


def read_flood(output: str) -> Flood:
    """Read what the script printed: the last line of wrk's output."""
    found = json.loads(output.splitlines()[-1])
    if found["failed"]:
        raise Unexpected(f"{found['failed']} of {found['requests']} requests failed")
    rate = found["requests"] / (found["duration_us"] / 1e6)
    latencies = {key: float(found[key]) for key in ("p50_us", "p90_us", "p99_us")}
    return Flood(found["requests"], rate, latencies)

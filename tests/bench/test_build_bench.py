"""What the benchmark says of a build is of that build alone."""

from __future__ import annotations

from pathlib import Path

from e2e.bench.big_mesh import Size, big_mesh
from e2e.bench.build_bench import MIB, run_program


def test_the_peak_of_a_build_is_its_own(tmp_path: Path) -> None:
    """However much memory the benchmark itself had before."""
    manifests = tmp_path / "mesh"
    manifests.mkdir()
    for source in big_mesh(Size(1)):
        (manifests / source.name).write_text(source.text)
    own = bytearray(b"x" * 300 * MIB)
    peak_bytes = run_program(manifests, tmp_path)["peak_bytes"]
    assert 10 * MIB < peak_bytes < len(own) // 2

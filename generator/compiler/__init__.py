"""The compiler of the guest language: typed Python subset -> Wasm. See DESIGN.md."""

from generator.compiler.pipeline import (
    DEFAULT_ARENA_BYTES,
    DEFAULT_STEP_BUDGET,
    Program,
    compile_file,
    link_program,
    prepare_file,
)

__all__ = [
    "DEFAULT_ARENA_BYTES",
    "DEFAULT_STEP_BUDGET",
    "Program",
    "compile_file",
    "link_program",
    "prepare_file",
]

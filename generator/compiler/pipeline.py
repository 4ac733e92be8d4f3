"""The compiler from end to end: the one list of its passes.

    parse     files -> syntax trees, imported modules first       parse.py
    collect   module-level code -> names                          collect.py
    check     function bodies -> typed IR with intervals          check.py
    exports   the module's exports, against the ABI               check_exports.py
    order     callees first; no recursion                         callgraph.py
    inline    small functions to where they are called; folding   inline.py
    prune     drop what nothing can reach                         callgraph.py
    layout    static objects -> addresses                         layout.py
    lower     IR -> Wasm instructions, function by function       lower.py
    assemble  imports, exports, memory, names                     assemble.py

Nothing is executed and no guest code is imported. The result depends on the sources
and the options only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from generator.compiler.assemble import assemble
from generator.compiler.callgraph import order_functions, reachable
from generator.compiler.check import check_functions
from generator.compiler.check_exports import Exports, check_exports
from generator.compiler.collect import collect_symbols
from generator.compiler.inline import inline_calls
from generator.compiler.ir_statements import (
    FunctionIR,
)
from generator.compiler.layout import place_objects
from generator.compiler.link import Linker
from generator.compiler.lower import lower_program
from generator.compiler.parse import module_name, parse_program
from generator.compiler.passes import ALL_PASSES, Passes
from generator.errors import CompileError, Diagnostic
from generator.wasm.module import Module

DEFAULT_STEP_BUDGET: Final = 10_000_000
DEFAULT_ARENA_BYTES: Final = 128 * 1024
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def compile_file(
    path: Path,
    *,
    embedded: Mapping[str, bytes] = NOTHING,
    constants: Mapping[str, int] = NOTHING,
    step_budget: int = DEFAULT_STEP_BUDGET,
    arena_bytes: int = DEFAULT_ARENA_BYTES,
    passes: Passes = ALL_PASSES,
) -> Module:
    """Compile a guest program to a Wasm module.

    `embedded` are the bytes behind `embedded(b"name")`. `constants` replaces integer
    constants of modules, named "module.NAME". The step budget is that of one callback.
    `passes` are the optimisations to make.
    Raises: CompileError with every diagnostic of the first pass that has any.
    """
    program = prepare_file(path, constants=constants, passes=passes)
    return link_program(
        program, embedded=embedded, step_budget=step_budget, arena_bytes=arena_bytes
    )


@dataclass(frozen=True, slots=True)
class Program:
    """A program that only lacks the bytes that are linked in."""

    path: Path
    functions: tuple[FunctionIR, ...]
    exports: Exports
    passes: Passes


def prepare_file(
    path: Path,
    *,
    constants: Mapping[str, int] = NOTHING,
    passes: Passes = ALL_PASSES,
) -> Program:
    """Run all passes up to the layout: what does not depend on embedded bytes."""
    with _too_deep():
        functions, exports = check_file(path, constants=constants)
        optimised = optimise(functions, exports, passes)
        return Program(path, tuple(optimised), exports, passes)


def link_program(
    program: Program,
    *,
    embedded: Mapping[str, bytes] = NOTHING,
    step_budget: int = DEFAULT_STEP_BUDGET,
    arena_bytes: int = DEFAULT_ARENA_BYTES,
) -> Module:
    """Make the module of a program around embedded bytes; again, around others."""
    with _too_deep():
        memory = place_objects(program.functions, arena_bytes, embedded, program.passes)
        linker = Linker(memory, step_budget, program.passes)
        lowered = lower_program(program.functions, program.exports, linker)
    return assemble(module_name(program.path), lowered, program.exports, linker)


@contextmanager
def _too_deep() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        message = "calls, or expressions after inlining, are nested too deeply"
        raise CompileError([Diagnostic("GST0047", message)]) from error


def check_file(
    path: Path, *, constants: Mapping[str, int] = NOTHING
) -> tuple[list[FunctionIR], Exports]:
    """Run the passes that can refuse a program."""
    modules = parse_program(path)
    program = collect_symbols(modules, constants)
    functions = check_functions(program.values())
    exports = check_exports(program, modules[-1])
    by_name = {module.name: module for module in modules}
    return order_functions(functions, by_name), exports


def optimise(
    functions: list[FunctionIR], exports: Exports, passes: Passes = ALL_PASSES
) -> list[FunctionIR]:
    """Inline calls; drop what is not called, before and after."""
    used = reachable(functions, exports.roots)
    inlined = inline_calls(used, exports.roots, passes)
    return reachable(inlined, exports.roots)

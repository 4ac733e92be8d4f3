"""A module as readable text, for golden files and for people.

Close to the text format of the standard, but for reading only: it names functions and
globals, indents blocks, and leaves out what the instructions do not need.

    func $add (i32 i32) -> (i32)
      local.get 0
      local.get 1
      i32.add
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.wasm.module import Function, FunctionType, Module
from generator.wasm.opcodes import (
    BLOCK,
    CALL,
    ELSE,
    END,
    GLOBAL_GET,
    GLOBAL_SET,
    IF,
    LOOP,
    Instruction,
    ValueType,
)


def module_text(module: Module) -> str:
    """Return imports, globals, functions, exports and data of a module."""
    lines = [f"module ${module.name}, {module.memory_pages} pages"]
    lines += [f"import {i.module}.{i.name} {_type(i.type)}" for i in module.imports]
    lines += [
        f"global ${g.name} {g.type.name.lower()} = {g.initial}" for g in module.globals
    ]
    lines += [
        f"export {e.name} = {e.kind.name.lower()} {e.index}" for e in module.exports
    ]
    lines += [f"data {d.offset}: {d.contents!r}" for d in module.data]
    for function in module.functions:
        lines += ["", function_text(module, function)]
    return "\n".join(lines) + "\n"


def function_text(module: Module, function: Function) -> str:
    """Return the code of one function."""
    lines = [f"func ${function.name} {_type(function.type)}"]
    if function.locals:
        lines.append(f"  locals {_types(function.locals)}")
    depth = 1
    for instruction in function.body[:-1]:
        if instruction.op in (END, ELSE):
            depth -= 1
        lines.append("  " * depth + " ".join(_words(module, instruction)))
        if instruction.op in (BLOCK, LOOP, IF, ELSE):
            depth += 1
    return "\n".join(lines)


def _type(type_: FunctionType) -> str:
    return f"({_types(type_.parameters)}) -> ({_types(type_.results)})"


def _types(types: tuple[ValueType, ...]) -> str:
    return " ".join(type_.name.lower() for type_ in types)


def _words(module: Module, instruction: Instruction) -> Iterator[str]:
    op, first, second = instruction
    yield op.name
    if op is CALL:
        names = [i.name for i in module.imports] + [f.name for f in module.functions]
        yield f"${names[first]}"
    elif op in (GLOBAL_GET, GLOBAL_SET):
        yield f"${module.globals[first].name}"
    elif op.immediates == "block":
        yield from _block_type(module, first)
    elif op.immediates == "memory":
        yield from [f"+{second}"] if second else []
    elif op.immediates in ("index", "label", "signed"):
        yield str(first)


def _block_type(module: Module, block_type: int) -> Iterator[str]:
    if block_type >= 0:
        yield f"({_types(module.types[block_type].results)})"
    elif block_type > -0x40:
        yield f"({ValueType(block_type + 0x80).name.lower()})"

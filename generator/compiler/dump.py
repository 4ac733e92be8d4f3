"""The typed IR as text, for golden files and for people.

    def add(a: u32, b: u32) -> u32
      return u32(a + b)

It reads like the source that it came from; what the compiler added stands in angle
brackets: `<let x = ...>`, `<inline f: ...>`, `<new x>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from generator.compiler.ir import (
    Binary,
    Call,
    Choose,
    Compare,
    Const,
    Convert,
    Element,
    Expr,
    Extreme,
    InlineBlock,
    Length,
    Let,
    LoadBytes,
    Local,
    Logic,
    Not,
    PoolItem,
    ReadField,
    ReadGlobal,
    ReadLocal,
    Rotate,
    SameBytes,
    Slice,
    Static,
)
from generator.compiler.ir_statements import (
    Assert,
    Assign,
    Break,
    Continue,
    CopyBytes,
    Evaluate,
    For,
    FunctionIR,
    If,
    Leave,
    Return,
    Stmt,
    StoreBytes,
    StoreElement,
    StoreField,
    Unpack,
    While,
)
from generator.compiler.symbols import StaticObject
from generator.compiler.types import BOOL


def dump_function(function: FunctionIR) -> str:
    """Return a function as text."""
    parameters = ", ".join(f"{p.name}: {p.type}" for p in function.parameters)
    head = f"def {function.symbol.name}({parameters}) -> {function.result}"
    return "\n".join([head, *_block(function.body)]) + "\n"


def _block(body: Iterable[Stmt]) -> Iterator[str]:
    for statement in body:
        for line in _STATEMENTS[type(statement)](statement):
            yield "  " + line


def _expr(expr: Expr) -> str:
    return _EXPRESSIONS[type(expr)](expr)


def _list(exprs: Iterable[Expr]) -> str:
    return ", ".join(_expr(expr) for expr in exprs)


# --- expressions ---------------------------------------------------------------------


def _const(e: Const) -> str:
    return str(bool(e.value)) if e.type == BOOL else str(e.value)


def _static(static: StaticObject) -> str:
    is_literal = static.name == "bytes"
    return repr(static.contents) if is_literal else f"<{static.name}>"


def _load(e: LoadBytes) -> str:
    order = "_be" if e.is_big_endian else ""
    return f"load_u{8 * e.size_bytes}{order}({_expr(e.view)}, {_expr(e.offset)})"


def _slice(e: Slice) -> str:
    stop = "" if e.stop is None else _expr(e.stop)
    return f"{_expr(e.array)}[{_expr(e.start)}:{stop}]"


def _choose(e: Choose) -> str:
    return f"({_expr(e.then)} if {_expr(e.condition)} else {_expr(e.otherwise)})"


def _let(e: Let) -> str:
    bindings = ", ".join(f"{local.name} = {_expr(v)}" for local, v in e.bindings)
    return f"<let {bindings}: {_expr(e.body)}>"


def _inline(e: InlineBlock) -> str:
    lines = "; ".join(line.strip() for line in _block(e.body))
    return f"<inline {e.exit.name}: {lines}>"


_EXPRESSIONS: Final[Mapping[type[Any], Callable[[Any], str]]] = {
    Const: _const,
    ReadLocal: lambda e: e.local.name,
    ReadGlobal: lambda e: e.variable.name,
    Static: lambda e: _static(e.object),
    Binary: lambda e: f"({_expr(e.left)} {e.operation} {_expr(e.right)})",
    Convert: lambda e: f"{e.type}({_expr(e.operand)})",
    Compare: lambda e: f"({_expr(e.left)} {e.operation} {_expr(e.right)})",
    SameBytes: lambda e: f"({_expr(e.left)} == {_expr(e.right)})",
    Not: lambda e: f"(not {_expr(e.operand)})",
    Logic: lambda e: f"({_expr(e.left)} {e.operation} {_expr(e.right)})",
    Choose: _choose,
    Extreme: lambda e: f"{e.operation}({_expr(e.left)}, {_expr(e.right)})",
    Rotate: lambda e: f"rotr32({_expr(e.value)}, {_expr(e.amount)})",
    Length: lambda e: f"len({_expr(e.array)})",
    Element: lambda e: f"{_expr(e.array)}[{_expr(e.index)}]",
    LoadBytes: _load,
    Slice: _slice,
    PoolItem: lambda e: f"{_static(e.pool)}[{_expr(e.index)}]",
    ReadField: lambda e: f"{_expr(e.record)}.{e.field.name}",
    Call: lambda e: f"{e.target.name}({_list(e.arguments)})",
    Let: _let,
    InlineBlock: _inline,
}


# --- statements ----------------------------------------------------------------------


def _if(s: If) -> Iterator[str]:
    yield f"if {_expr(s.condition)}"
    yield from _block(s.then)
    if s.otherwise:
        yield "else"
        yield from _block(s.otherwise)


def _while(s: While) -> Iterator[str]:
    yield f"while {_expr(s.condition)}"
    yield from _block(s.body)


def _for(s: For) -> Iterator[str]:
    bounds = f"{_expr(s.start)}, {_expr(s.stop)}, {s.step}"
    seen = f"{s.counter.type} {s.counter.interval}"
    yield f"for {s.counter.name} <{seen}> in range({bounds})"
    yield from _block(s.body)


def _store_bytes(s: StoreBytes) -> list[str]:
    order = "_be" if s.is_big_endian else ""
    arguments = _list((s.offset, s.value))
    return [f"{_expr(s.buffer)}.put_u{8 * s.size_bytes}{order}({arguments})"]


def _names(s: Unpack) -> str:
    return ", ".join("_" if target is None else target.name for target in s.targets)


def _place(s: Assign) -> str:
    if isinstance(s.target, Local):
        return f"{s.target.name} <{s.target.type}>"
    return s.target.name


_STATEMENTS: Final[Mapping[type[Any], Callable[[Any], Iterable[str]]]] = {
    Assign: lambda s: [f"{_place(s)} = {_expr(s.value)}"],
    Unpack: lambda s: [f"{_names(s)} = {_expr(s.value)}"],
    StoreField: lambda s: [f"{_expr(s.record)}.{s.field.name} = {_expr(s.value)}"],
    StoreElement: lambda s: [f"{_expr(s.array)}[{_expr(s.index)}] = {_expr(s.value)}"],
    StoreBytes: _store_bytes,
    CopyBytes: lambda s: [
        f"{_expr(s.buffer)}.put({_expr(s.offset)}, {_expr(s.source)})"
    ],
    If: _if,
    While: _while,
    For: _for,
    Break: lambda s: ["break"],
    Continue: lambda s: ["continue"],
    Return: lambda s: [f"return {_list(s.values)}".rstrip()],
    Leave: lambda s: [f"<leave {s.exit.name}> {_list(s.values)}".rstrip()],
    Assert: lambda s: [f"assert {_expr(s.condition)}"],
    Evaluate: lambda s: [_expr(s.value)],
}

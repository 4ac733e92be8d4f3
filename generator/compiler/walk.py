"""Walk the IR: the operands of expressions, and what statements hold.

The only place that knows which fields of a node are operands. Rewriting passes build
new nodes themselves (inline.py); everything that only looks uses this.
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


def _slice_operands(e: Slice) -> tuple[Expr, ...]:
    bounds = (e.start,) if e.stop is None else (e.start, e.stop)
    return (e.array, *bounds)


_OPERANDS: Final[Mapping[type[Any], Callable[[Any], tuple[Expr, ...]]]] = {
    Const: lambda e: (),
    ReadLocal: lambda e: (),
    ReadGlobal: lambda e: (),
    Static: lambda e: (),
    Binary: lambda e: (e.left, e.right),
    Convert: lambda e: (e.operand,),
    Compare: lambda e: (e.left, e.right),
    SameBytes: lambda e: (e.left, e.right),
    Not: lambda e: (e.operand,),
    Logic: lambda e: (e.left, e.right),
    Choose: lambda e: (e.condition, e.then, e.otherwise),
    Extreme: lambda e: (e.left, e.right),
    Rotate: lambda e: (e.value, e.amount),
    Length: lambda e: (e.array,),
    Element: lambda e: (e.array, e.index),
    LoadBytes: lambda e: (e.view, e.offset),
    Slice: _slice_operands,
    PoolItem: lambda e: (e.index,),
    ReadField: lambda e: (e.record,),
    Call: lambda e: e.arguments,
    Let: lambda e: (*(value for _, value in e.bindings), e.body),
    InlineBlock: lambda e: tuple(expressions_of(e.body)),
}

_STATEMENT: Final[Mapping[type[Any], Callable[[Any], tuple[Expr, ...]]]] = {
    Assign: lambda s: (s.value,),
    Unpack: lambda s: (s.value,),
    StoreField: lambda s: (s.record, s.value),
    StoreElement: lambda s: (s.array, s.index, s.value),
    StoreBytes: lambda s: (s.buffer, s.offset, s.value),
    CopyBytes: lambda s: (s.buffer, s.offset, s.source),
    If: lambda s: (s.condition,),
    While: lambda s: (s.condition,),
    For: lambda s: (s.start, s.stop),
    Break: lambda s: (),
    Continue: lambda s: (),
    Return: lambda s: s.values,
    Leave: lambda s: s.values,
    Assert: lambda s: (s.condition,),
    Evaluate: lambda s: (s.value,),
}


def operands(expr: Expr) -> tuple[Expr, ...]:
    """Return the expressions directly inside an expression, in evaluation order."""
    return _OPERANDS[type(expr)](expr)


def statement_operands(statement: Stmt) -> tuple[Expr, ...]:
    """Return the expressions directly inside a statement, not those of its blocks."""
    return _STATEMENT[type(statement)](statement)


def blocks(statement: Stmt) -> tuple[tuple[Stmt, ...], ...]:
    """Return the blocks of a statement."""
    match statement:
        case If():
            return statement.then, statement.otherwise
        case While() | For():
            return (statement.body,)
        case _:
            return ()


def all_statements(body: Iterable[Stmt]) -> Iterator[Stmt]:
    """Yield statements and those in their blocks, not those of inlined bodies."""
    for statement in body:
        yield statement
        for block in blocks(statement):
            yield from all_statements(block)


def expressions_of(body: Iterable[Stmt]) -> Iterator[Expr]:
    """Yield the outermost expressions of statements and their blocks."""
    for statement in all_statements(body):
        yield from statement_operands(statement)


def all_expressions(body: Iterable[Stmt]) -> Iterator[Expr]:
    """Yield every expression of a body, inlined bodies included."""
    stack = list(expressions_of(body))
    while stack:
        expr = stack.pop()
        yield expr
        stack.extend(operands(expr))


def within(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all expressions inside it."""
    stack = [expr]
    while stack:
        inner = stack.pop()
        yield inner
        stack.extend(operands(inner))


def assigned_locals(body: Iterable[Stmt]) -> Iterator[object]:
    """Yield the locals that statements assign, inlined bodies not included."""
    for statement in all_statements(body):
        match statement:
            case Assign():
                yield statement.target
            case Unpack():
                yield from statement.targets
            case For():
                yield statement.counter
            case _:
                pass

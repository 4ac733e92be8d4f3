"""The typed intermediate representation, statements and functions. See ir.py."""

from __future__ import annotations

from dataclasses import dataclass

from generator.compiler.ir import Exit, Expr, Local
from generator.compiler.symbols import FunctionSymbol, GlobalSymbol
from generator.compiler.types import Field, Type


@dataclass(frozen=True, slots=True)
class Assign:
    target: Local | GlobalSymbol
    value: Expr


@dataclass(frozen=True, slots=True)
class Unpack:
    """`a, _, b = f()`; a target of None is thrown away."""

    targets: tuple[Local | GlobalSymbol | None, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class StoreField:
    record: Expr
    field: Field
    value: Expr


@dataclass(frozen=True, slots=True)
class StoreElement:
    """`array[index] = value`; faults outside the bounds."""

    array: Expr
    index: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class StoreBytes:
    """`buffer.put_u32(offset, value)` and its like; faults outside the bounds."""

    buffer: Expr
    offset: Expr
    value: Expr
    size_bytes: int
    is_big_endian: bool


@dataclass(frozen=True, slots=True)
class CopyBytes:
    """`buffer.put(offset, source)`; faults outside the bounds; may overlap."""

    buffer: Expr
    offset: Expr
    source: Expr


@dataclass(frozen=True, slots=True)
class If:
    condition: Expr
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class While:
    condition: Expr
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class For:
    """`for counter in range(start, stop, step)`; the body never assigns `counter`.

    `counter.type` also holds the first value at or past `stop`.
    """

    counter: Local
    start: Expr
    stop: Expr
    step: int
    body: tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Break:
    pass


@dataclass(frozen=True, slots=True)
class Continue:
    pass


@dataclass(frozen=True, slots=True)
class Return:
    """`values` has one expression for each result, or one call that gives them all."""

    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """`Return` of an inlined body."""

    exit: Exit
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Assert:
    condition: Expr


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A call whose results are not used."""

    value: Expr


Stmt = (
    Assign
    | Unpack
    | StoreField
    | StoreElement
    | StoreBytes
    | CopyBytes
    | If
    | While
    | For
    | Break
    | Continue
    | Return
    | Leave
    | Assert
    | Evaluate
)


@dataclass(frozen=True, slots=True)
class FunctionIR:
    """A checked function."""

    symbol: FunctionSymbol
    parameters: tuple[Local, ...]
    result: Type
    body: tuple[Stmt, ...]

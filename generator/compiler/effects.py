"""What evaluating an expression can do besides giving a value.

Used where lowering would like another order than Python's: a store wants its address
before the value, Python evaluates the value first.
"""

from __future__ import annotations

from typing import Final

from generator.compiler.bounds import cannot_fault
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
    LoadBytes,
    Logic,
    Not,
    PoolItem,
    ReadField,
    ReadGlobal,
    ReadLocal,
    Rotate,
    Static,
)
from generator.compiler.walk import within

_PURE: Final = (
    Const,
    ReadLocal,
    Convert,
    Compare,
    Not,
    Logic,
    Choose,
    Extreme,
    Rotate,
)
"""Neither faults, nor calls, nor reads what something else could change."""


def is_pure(expr: Expr) -> bool:
    """Tell whether an expression may be evaluated earlier or later."""
    for inner in within(expr):
        if isinstance(inner, Binary):
            if inner.operation in ("//", "%") and inner.right.interval.low == 0:
                return False
        elif not isinstance(inner, _PURE):
            return False
    return True


def can_call(expr: Expr) -> bool:
    """Tell whether an expression runs other code, which may change anything."""
    return any(isinstance(inner, Call | InlineBlock) for inner in within(expr))


def may_follow_address(value: Expr, address: tuple[Expr, ...]) -> bool:
    """Tell whether a value may be evaluated after the address it is stored at.

    It must not fault or call, since Python would do that first; and if computing the
    address calls, the value must not read what the call may change.
    """
    if is_pure(value):
        return True
    return is_total(value) and not any(can_call(part) for part in address)


def is_total(expr: Expr) -> bool:
    """Tell whether an expression surely neither faults nor calls."""
    for inner in within(expr):
        if isinstance(inner, Binary):
            if inner.operation in ("//", "%") and inner.right.interval.low == 0:
                return False
        elif isinstance(inner, Element | LoadBytes | PoolItem):
            if not cannot_fault(inner):
                return False
        elif not isinstance(inner, (*_PURE, ReadGlobal, ReadField, Length, Static)):
            return False
    return True

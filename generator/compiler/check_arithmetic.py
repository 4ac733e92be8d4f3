"""Check operators: arithmetic, comparisons, `and`/`or`/`not`, conditional expressions.

Arithmetic is exact. `+ - * & | ^ ~ <<` take operands of any size, since only the low
bits may be wanted; the others, and every other use, need a value that fits 64 bits.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import reduce
from typing import Final

from generator.compiler import fold
from generator.compiler.check_access import literal
from generator.compiler.context import Context, joined_type
from generator.compiler.interval import RING, fits_64
from generator.compiler.ir import (
    Call,
    Comparison,
    Expr,
    IntOperation,
    SameBytes,
    Static,
)
from generator.compiler.types import BOOL, NONE, VIEW, IntType, PlainType, TupleType
from generator.compiler.walk import within

MAX_SHIFT: Final = 63

OPERATIONS: Final[Mapping[type[ast.operator], IntOperation]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}

COMPARISONS: Final[Mapping[type[ast.cmpop], Comparison]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

OTHER_COMPARISONS: Final[Mapping[type[ast.cmpop], tuple[str, str]]] = {
    ast.Is: ("is", "write =="),
    ast.IsNot: ("is not", "write !="),
    ast.In: ("in", "write x == a or x == b"),
    ast.NotIn: ("not in", "write x != a and x != b"),
}


def check_binary(context: Context, py_expr: ast.BinOp) -> Expr:
    """Check an arithmetic operation, or constant bytes that are put together."""
    operation = operation_of(context, py_expr.op, py_expr)
    left = context.check(py_expr.left)
    if operation == "+" and isinstance(left, Static) and left.type == VIEW:
        return _joined_bytes(context, left, py_expr)
    right = context.check(py_expr.right)
    for expr, py_operand in ((left, py_expr.left), (right, py_expr.right)):
        context.integer(expr, py_operand)
        if operation not in RING:
            context.exact(expr, py_operand)
    return make_binary(context, operation, left, right, py_expr)


def operation_of(
    context: Context, py_operator: ast.operator, node: ast.expr | ast.stmt
) -> IntOperation:
    """Return the operation of an operator."""
    operation = OPERATIONS.get(type(py_operator))
    if operation is None:
        hint = "write a // b" if isinstance(py_operator, ast.Div) else ""
        raise context.refusal(
            "GST0011", "this operator is not guest Python", node, hint
        )
    return operation


def make_binary(
    context: Context,
    operation: IntOperation,
    left: Expr,
    right: Expr,
    node: ast.expr | ast.stmt,
) -> Expr:
    """Make an operation whose operands are integers, and check their ranges."""
    if operation in ("//", "%"):
        _require_division(context, left, right, node)
    elif operation in ("<<", ">>"):
        _require_shift(context, right, node)
    return fold.binary(operation, left, right)


def _require_division(
    context: Context, left: Expr, right: Expr, node: ast.expr | ast.stmt
) -> None:
    if left.interval.low < 0 or right.interval.low < 0:
        worst = left if left.interval.low < 0 else right
        side = "dividend" if worst is left else "divisor"
        message = f"a {side} must not be negative; this can be {worst.interval}"
        raise context.refusal("GST0032", message, node)
    if right.interval.high == 0:
        raise context.refusal("GST0032", "division by zero", node)


def _require_shift(context: Context, amount: Expr, node: ast.expr | ast.stmt) -> None:
    if amount.interval.low < 0 or amount.interval.high > MAX_SHIFT:
        message = f"a shift is by 0 to {MAX_SHIFT}; this can be {amount.interval}"
        raise context.refusal("GST0033", message, node)


def _joined_bytes(context: Context, left: Static, py_expr: ast.BinOp) -> Expr:
    right = context.check(py_expr.right)
    match right:
        case Static(type=PlainType(name="View"), object=other) if not (
            other.is_embedded or left.object.is_embedded
        ):
            return literal(left.object.contents + other.contents)
    raise context.refusal("GST0022", "only constant bytes can be put together", py_expr)


def check_unary(context: Context, py_expr: ast.UnaryOp) -> Expr:
    """Check `-x`, `+x`, `~x` or `not x`."""
    if isinstance(py_expr.op, ast.Not):
        return fold.negate(context.check_bool(py_expr.operand))
    operand = context.integer(context.check(py_expr.operand), py_expr.operand)
    if isinstance(py_expr.op, ast.USub):
        return fold.binary("-", fold.integer(0), operand)
    if isinstance(py_expr.op, ast.Invert):
        return fold.binary("^", operand, fold.integer(-1))
    return operand


def check_logic(context: Context, py_expr: ast.BoolOp) -> Expr:
    """Check `a and b and c` or `a or b or c`."""
    operands = [context.check_bool(operand) for operand in py_expr.values]
    is_and = isinstance(py_expr.op, ast.And)
    join = fold.conjunction if is_and else fold.disjunction
    return reduce(join, operands)


def check_choice(context: Context, py_expr: ast.IfExp) -> Expr:
    """Check `then if condition else otherwise`."""
    condition = context.check_bool(py_expr.test)
    then = context.check(py_expr.body)
    otherwise = context.check(py_expr.orelse)
    if isinstance(then.type, IntType) and isinstance(otherwise.type, IntType):
        type_ = joined_type(then, otherwise)
        return fold.choose(condition, then, otherwise, type_)
    if then.type != otherwise.type:
        raise context.mismatch(str(then.type), otherwise, py_expr.orelse)
    if isinstance(then.type, TupleType) or then.type == NONE:
        message = f"a {then.type} cannot be chosen in an expression"
        raise context.refusal("GST0022", message, py_expr)
    return fold.choose(condition, then, otherwise, then.type)


def check_compare(context: Context, py_expr: ast.Compare) -> Expr:
    """Check a comparison or a chain; a middle operand is evaluated twice,
    so it must not call."""
    for py_op in py_expr.ops:
        if type(py_op) in OTHER_COMPARISONS:
            word, hint = OTHER_COMPARISONS[type(py_op)]
            message = f'"{word}" is not guest Python'
            raise context.refusal("GST0011", message, py_expr, hint)
    py_left, left = py_expr.left, context.check_value(py_expr.left)
    links: list[Expr] = []
    for py_op, py_right in zip(py_expr.ops, py_expr.comparators, strict=True):
        right = context.check_value(py_right)
        is_middle = py_right is not py_expr.comparators[-1]
        if is_middle and any(isinstance(e, Call) for e in within(right)):
            message = "the middle of a comparison chain must not call"
            raise context.refusal(
                "GST0011", message, py_right, "assign it to a local before"
            )
        links.append(_link(context, py_op, (py_left, left), (py_right, right)))
        py_left, left = py_right, right
    return reduce(fold.conjunction, links)


def _link(
    context: Context,
    py_op: ast.cmpop,
    left: tuple[ast.expr, Expr],
    right: tuple[ast.expr, Expr],
) -> Expr:
    """Check one comparison of a chain."""
    operation = COMPARISONS[type(py_op)]
    _require_comparable(context, operation, left[1], right)
    if left[1].type == VIEW:
        same = SameBytes(left[1], right[1])
        return same if operation == "==" else fold.negate(same)
    return fold.compare(operation, left[1], right[1])


def _require_comparable(
    context: Context,
    operation: Comparison,
    left: Expr,
    right: tuple[ast.expr, Expr],
) -> None:
    py_right, right_expr = right
    if isinstance(left.type, IntType) and isinstance(right_expr.type, IntType):
        both = left.interval.union(right_expr.interval)
        if not fits_64(both):
            message = f"no 64-bit number holds both sides ({both})"
            raise context.refusal("GST0024", message, py_right)
        return
    if left.type != right_expr.type:
        raise context.mismatch(str(left.type), right_expr, py_right)
    is_comparable = left.type in (BOOL, VIEW) and isinstance(left.type, PlainType)
    if not is_comparable or operation not in ("==", "!="):
        message = f'"{operation}" does not compare two {left.type}'
        raise context.refusal("GST0022", message, py_right)

"""What the checker's files share: names, errors, and what an expression must be.

A `Context` is made for each module (constants, no locals) and for each function. The
files check_*.py are functions over it; `Context.check` reaches all of them through the
table in check_expression.py, which it is given, so that they need not import it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.compiler.interval import Interval, fits_64
from generator.compiler.ir import (
    Expr,
)
from generator.compiler.scope import FunctionScope
from generator.compiler.source_module import Located, SourceModule
from generator.compiler.symbols import Symbol
from generator.compiler.types import (
    BOOL,
    VIEW,
    IntType,
    ScalarType,
    TupleType,
    Type,
    default_int_type,
)
from generator.errors import CompileError


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands. `scope` is None at module level."""

    module: SourceModule
    names: Mapping[str, Symbol]
    expression: Callable[[Context, ast.expr], Expr]
    scope: FunctionScope | None = None

    def refusal(
        self, code: str, message: str, node: Located, hint: str = ""
    ) -> CompileError:
        """Return the error to raise because of `node`."""
        return self.module.refusal(code, message, node, hint)

    def check(self, py_expr: ast.expr) -> Expr:
        """Check an expression of any type. An integer may exceed 64 bits."""
        return self.expression(self, py_expr)

    def check_value(self, py_expr: ast.expr) -> Expr:
        """Check an expression whose value is needed exactly."""
        return self.exact(self.check(py_expr), py_expr)

    def exact(self, expr: Expr, py_expr: ast.expr) -> Expr:
        """Make sure that the value of a checked expression can be had."""
        if isinstance(expr.type, IntType):
            self.require_64(expr.interval, py_expr)
        if isinstance(expr.type, TupleType):
            raise self.refusal(
                "GST0029", "several results must be taken apart at once", py_expr
            )
        return expr

    def require_64(self, interval: Interval, node: Located) -> None:
        """Make sure that one 64-bit number, signed or not, can hold a value."""
        if not fits_64(interval):
            message = f"this can be {interval}, which does not fit 64 bits"
            raise self.refusal("GST0024", message, node)

    def check_int(self, py_expr: ast.expr) -> Expr:
        """Check an integer whose value is needed exactly."""
        return self.integer(self.check_value(py_expr), py_expr)

    def integer(self, expr: Expr, py_expr: ast.expr) -> Expr:
        """Make sure that a checked expression is an integer."""
        if not isinstance(expr.type, IntType):
            raise self.mismatch("an integer", expr, py_expr)
        return expr

    def check_bool(self, py_expr: ast.expr) -> Expr:
        """Check a condition."""
        expr = self.check_value(py_expr)
        if expr.type != BOOL:
            hint = "compare with 0" if isinstance(expr.type, IntType) else ""
            if expr.type == VIEW:
                hint = "compare the length with 0"
            message = f"a condition must be bool, not {expr.type}"
            raise self.refusal("GST0025", message, py_expr, hint)
        return expr

    def check_view(self, py_expr: ast.expr) -> Expr:
        expr = self.check_value(py_expr)
        if expr.type != VIEW:
            raise self.mismatch("View", expr, py_expr)
        return expr

    def check_as(self, py_expr: ast.expr, type_: ScalarType) -> Expr:
        """Check a value that is stored where `type_` is wanted."""
        expr = self.check_value(py_expr)
        self.require(expr, type_, py_expr)
        return expr

    def require(self, expr: Expr, type_: Type, node: Located) -> None:
        """Make sure that a place of type `type_` can hold the value."""
        if not isinstance(type_, IntType):
            if expr.type != type_:
                raise self.mismatch(str(type_), expr, node)
        elif not isinstance(expr.type, IntType):
            raise self.mismatch(str(type_), expr, node)
        elif not expr.interval.is_within(type_.range):
            raise self._does_not_fit(expr.interval, type_, node)

    def _does_not_fit(
        self, interval: Interval, type_: IntType, node: Located
    ) -> CompileError:
        message = f"{type_} cannot hold {interval}"
        if isinstance(node, ast.AugAssign):
            py_sum = ast.BinOp(node.target, node.op, node.value)
            target, text = ast.unparse(node.target), ast.unparse(py_sum)
            hint = f"write {target} = {type_}({text})"
        else:
            text = ast.unparse(node)
            short = text if len(text) < 40 else "..."
            bits = type_.size_bytes * 8
            hint = f"write {type_}({short}) to keep the low {bits} bits"
        return self.refusal("GST0023", message, node, hint)

    def mismatch(self, wanted: str, found: Expr, node: Located) -> CompileError:
        message = f"expected {wanted}, found {found.type}"
        hint = ""
        if found.type == BOOL and "int" not in wanted:
            hint = f"write {wanted}(...) to make it 0 or 1"
        if wanted == "View" and str(found.type) == "Buffer":
            hint = "write BUFFER[0:n], which is a view of its first n bytes"
        return self.refusal("GST0022", message, node, hint)


def joined_type(left: Expr, right: Expr) -> IntType:
    """Return the type of a choice between two integers."""
    if isinstance(left.type, IntType) and left.type == right.type:
        return left.type
    return default_int_type(left.interval.union(right.interval))

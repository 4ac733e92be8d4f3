"""Check statements and blocks.

After an error the block goes on with the next statement, so that one run reports all
of them (scope.py says how names of a refused statement are treated).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from generator.compiler.check_assignment import check_annotated, scope_of
from generator.compiler.check_loop import check_for, check_while
from generator.compiler.check_store import check_assign, check_augmented, check_method
from generator.compiler.context import Context
from generator.compiler.ir import (
    Call,
    Const,
    Expr,
)
from generator.compiler.ir_statements import (
    Assert,
    Break,
    Continue,
    Evaluate,
    If,
    Return,
    Stmt,
)
from generator.compiler.scope import Poisoned, merge
from generator.compiler.symbols import GlobalSymbol
from generator.compiler.types import NONE, TupleType
from generator.errors import CompileError


def check_block(context: Context, py_body: Sequence[ast.stmt]) -> tuple[Stmt, ...]:
    """Check statements in order; what control cannot reach is left out."""
    scope = scope_of(context)
    body: list[Stmt] = []
    for py_statement in py_body:
        is_reached = not scope.is_unreachable
        try:
            checked = check_statement(context, py_statement)
        except CompileError as error:
            scope.errors.extend(error.diagnostics)
            _poison(context, py_statement)
        except Poisoned:
            _poison(context, py_statement)
        else:
            if is_reached:
                body += checked
    return tuple(body)


def _poison(context: Context, py_statement: ast.stmt) -> None:
    scope = scope_of(context)
    for node in ast.walk(py_statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if node.id not in scope.locals and node.id not in scope.declared_global:
                scope.poisoned.add(node.id)
            scope.mark_assigned(node.id)


def check_statement(context: Context, py_statement: ast.stmt) -> list[Stmt]:
    """Check one statement."""
    check = _STATEMENTS.get(type(py_statement))
    if check is None:
        default = (type(py_statement).__name__, "")
        what, hint = _REFUSED.get(type(py_statement), default)
        message = f"{what} is not guest Python here"
        raise context.refusal("GST0010", message, py_statement, hint)
    return check(context, py_statement)


def _expression(context: Context, py_statement: ast.Expr) -> list[Stmt]:
    """A docstring, `...`, a call, or a method that stores."""
    py_expr = py_statement.value
    if isinstance(py_expr, ast.Constant) and (
        isinstance(py_expr.value, str) or py_expr.value is ...
    ):
        return []
    if not isinstance(py_expr, ast.Call):
        raise context.refusal("GST0010", "this expression does nothing", py_expr)
    if isinstance(py_expr.func, ast.Attribute):
        return check_method(context, py_expr, py_expr.func)
    value = context.check(py_expr)
    if not isinstance(value, Call):
        raise context.refusal("GST0010", "this expression does nothing", py_expr)
    return [Evaluate(value)]


def _if(context: Context, py_if: ast.If) -> list[Stmt]:
    scope = scope_of(context)
    condition = context.check_bool(py_if.test)
    before = scope.reached
    then = check_block(context, py_if.body)
    after_then, scope.reached = scope.reached, before
    otherwise = check_block(context, py_if.orelse)
    scope.reached = merge((after_then, scope.reached))
    if isinstance(condition, Const):
        return list(then if condition.value else otherwise)
    if not then and not otherwise:
        return [Evaluate(condition)]
    return [If(condition, then, otherwise)]


def _break(context: Context, py_statement: ast.Break) -> list[Stmt]:
    scope = scope_of(context)
    scope.loops[-1].breaks.append(scope.reached)
    scope.reached = None
    return [Break()]


def _continue(context: Context, py_statement: ast.Continue) -> list[Stmt]:
    scope_of(context).reached = None
    return [Continue()]


def _pass(context: Context, py_statement: ast.Pass) -> list[Stmt]:
    return []


def _global(context: Context, py_statement: ast.Global) -> list[Stmt]:
    for name in py_statement.names:
        symbol = context.names.get(name)
        if not isinstance(symbol, GlobalSymbol):
            message = f'"{name}" is not a mutable global of this module'
            hint = f"write {name}: u32 = 0 at module level"
            raise context.refusal("GST0028", message, py_statement, hint)
        scope_of(context).declared_global.add(name)
    return []


def _assert(context: Context, py_assert: ast.Assert) -> list[Stmt]:
    condition = context.check_bool(py_assert.test)
    if isinstance(condition, Const):
        if condition.value:
            return []
        scope_of(context).reached = None
    return [Assert(condition)]


def _return(context: Context, py_return: ast.Return) -> list[Stmt]:
    values = _return_values(context, py_return)
    scope_of(context).reached = None
    return [Return(values)]


def _return_values(context: Context, py_return: ast.Return) -> tuple[Expr, ...]:
    result, py_value = scope_of(context).result, py_return.value
    is_none = isinstance(py_value, ast.Constant) and py_value.value is None
    if py_value is None or is_none:
        if result != NONE:
            raise context.refusal(
                "GST0022", f"the function returns {result}", py_return
            )
        return ()
    if result == NONE:
        message = "the function is declared to return nothing"
        raise context.refusal("GST0022", message, py_value, "change `-> None`")
    if not isinstance(result, TupleType):
        return (context.check_as(py_value, result),)
    if not isinstance(py_value, ast.Tuple):
        return (_all_results(context, result, py_value),)
    if len(py_value.elts) != len(result.items):
        message = f"{len(py_value.elts)} values for {result}"
        raise context.refusal("GST0029", message, py_value)
    pairs = zip(py_value.elts, result.items, strict=True)
    return tuple(context.check_as(py_item, type_) for py_item, type_ in pairs)


def _all_results(context: Context, result: TupleType, py_value: ast.expr) -> Expr:
    """Check `return f()` where `f` returns the same types."""
    value = context.check(py_value)
    if value.type != result:
        raise context.mismatch(str(result), value, py_value)
    return value


_STATEMENTS: Final[Mapping[type[ast.stmt], Callable[[Context, Any], list[Stmt]]]] = {
    ast.Expr: _expression,
    ast.Assign: check_assign,
    ast.AnnAssign: check_annotated,
    ast.AugAssign: check_augmented,
    ast.If: _if,
    ast.While: lambda context, py: check_while(context, py, check_block),
    ast.For: lambda context, py: check_for(context, py, check_block),
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Pass: _pass,
    ast.Global: _global,
    ast.Assert: _assert,
    ast.Return: _return,
}

_REFUSED: Final[Mapping[type[ast.stmt], tuple[str, str]]] = {
    ast.FunctionDef: ("a function inside a function", "move it to module level"),
    ast.ClassDef: ("a class inside a function", "move it to module level"),
    ast.AsyncFunctionDef: ("async", ""),
    ast.Import: ("an import inside a function", "move it to the top of the file"),
    ast.ImportFrom: ("an import inside a function", "move it to the top of the file"),
    ast.Try: ("try", "a fault ends the callback; @on_fault handles it"),
    ast.TryStar: ("try", "a fault ends the callback; @on_fault handles it"),
    ast.Raise: ("raise", "write assert, or return a status"),
    ast.With: ("with", ""),
    ast.Match: ("match", "write if / elif"),
    ast.Delete: ("del", ""),
    ast.Nonlocal: ("nonlocal", "write global"),
}

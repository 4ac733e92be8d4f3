"""Check `while` and `for ... in range(...)`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from generator.compiler import fold
from generator.compiler.check_assignment import DISCARD, scope_of
from generator.compiler.context import Context
from generator.compiler.ir import (
    Const,
    Expr,
    Local,
)
from generator.compiler.ir_statements import (
    For,
    Stmt,
    While,
)
from generator.compiler.scope import Loop, merge
from generator.compiler.symbols import BuiltinSymbol

CheckBlock = Callable[[Context, Sequence[ast.stmt]], tuple[Stmt, ...]]


def check_while(
    context: Context, py_while: ast.While, check_block: CheckBlock
) -> list[Stmt]:
    """Check a `while`; control leaves `while True` only by `break`."""
    scope = scope_of(context)
    _refuse_else(context, py_while)
    condition = context.check_bool(py_while.test)
    before = scope.reached
    body, loop = _body(context, py_while.body, check_block)
    is_endless = isinstance(condition, Const) and condition.value == 1
    scope.reached = merge([*loop.breaks, None if is_endless else before])
    if isinstance(condition, Const) and condition.value == 0:
        return []
    return [While(condition, body)]


def _body(
    context: Context, py_body: Sequence[ast.stmt], check_block: CheckBlock
) -> tuple[tuple[Stmt, ...], Loop]:
    scope = scope_of(context)
    loop = Loop()
    scope.loops.append(loop)
    body = check_block(context, py_body)
    scope.loops.pop()
    return body, loop


def _refuse_else(context: Context, py_loop: ast.While | ast.For) -> None:
    if py_loop.orelse:
        message = "`else` of a loop is not guest Python"
        raise context.refusal(
            "GST0010", message, py_loop.orelse[0], "set a bool before break"
        )


def check_for(context: Context, py_for: ast.For, check_block: CheckBlock) -> list[Stmt]:
    """Check a `for`; its variable lives in the loop."""
    scope = scope_of(context)
    _refuse_else(context, py_for)
    py_range = _range_call(context, py_for.iter)
    start, stop, step = _range(context, py_range)
    counter = _counter(context, py_for.target, (start, stop, step), py_range)
    before = scope.reached
    if counter.name != DISCARD:
        scope.counters[counter.name] = counter
    body, _ = _body(context, py_for.body, check_block)
    if counter.name != DISCARD:
        del scope.counters[counter.name]
        scope.old_counters.add(counter.name)
    scope.reached = before
    return [For(counter, start, stop, step, body)]


def _range_call(context: Context, py_iter: ast.expr) -> ast.Call:
    if isinstance(py_iter, ast.Call) and isinstance(py_iter.func, ast.Name):
        symbol = context.names.get(py_iter.func.id)
        if isinstance(symbol, BuiltinSymbol) and symbol.name == "range":
            return py_iter
    message = "a for loop goes over range(...) only"
    hint = "write `for i in range(len(x))` and read x[i]"
    raise context.refusal("GST0010", message, py_iter, hint)


def _range(context: Context, py_range: ast.Call) -> tuple[Expr, Expr, int]:
    if py_range.keywords or not 1 <= len(py_range.args) <= 3:
        raise context.refusal("GST0021", "range takes one to three arguments", py_range)
    bounds = [context.check_int(py_bound) for py_bound in py_range.args]
    if len(bounds) == 1:
        return fold.integer(0), bounds[0], 1
    step = bounds[2] if len(bounds) == 3 else fold.integer(1)
    if not isinstance(step, Const) or step.value == 0:
        message = "the step of a range must be a constant other than 0"
        raise context.refusal("GST0030", message, py_range.args[2])
    return bounds[0], bounds[1], step.value


def _counter(
    context: Context,
    py_target: ast.expr,
    bounds: tuple[Expr, Expr, int],
    py_range: ast.Call,
) -> Local:
    """Make the loop's variable. Its type also holds the first value past the end."""
    if not isinstance(py_target, ast.Name):
        raise context.refusal("GST0028", "a for loop has one variable", py_target)
    name, scope = py_target.id, scope_of(context)
    if name in scope.counters:
        message = f'"{name}" counts the loop around this one'
        raise context.refusal("GST0037", message, py_target, "use another name")
    if name in scope.locals or name in scope.fixed or name in scope.declared_global:
        message = f'"{name}" is another variable of this function'
        raise context.refusal("GST0037", message, py_target, "use another name")
    held = fold.counter_interval(*bounds)
    context.require_64(held, py_range)
    return fold.loop_counter(name, *bounds)

"""Check assignments to names: locals and globals, one or several at once."""

from __future__ import annotations

import ast

from generator.compiler import fold
from generator.compiler.annotation import resolve_type
from generator.compiler.check_access import (
    find_symbol,
)
from generator.compiler.context import Context
from generator.compiler.interval import Interval
from generator.compiler.ir import (
    Const,
    Expr,
    Local,
    ReadLocal,
)
from generator.compiler.ir_statements import (
    Assign,
    Evaluate,
    Stmt,
    Unpack,
)
from generator.compiler.scope import FunctionScope, Poisoned
from generator.compiler.symbols import GlobalSymbol
from generator.compiler.types import (
    NONE,
    TABLE,
    IntType,
    ScalarType,
    TupleType,
)

Place = Local | GlobalSymbol
DISCARD = "_"


def scope_of(context: Context) -> FunctionScope:
    """Return the scope of a context that stands in a function."""
    assert context.scope is not None
    return context.scope


def check_annotated(context: Context, py_assign: ast.AnnAssign) -> list[Stmt]:
    """Check `name: type = value` or `name: type`."""
    py_target = py_assign.target
    if not isinstance(py_target, ast.Name):
        raise context.refusal(
            "GST0028", "only a local is declared with a type", py_target
        )
    type_ = resolve_type(context, py_assign.annotation)
    if isinstance(type_, TupleType) or type_ in (NONE, TABLE):
        raise context.refusal(
            "GST0016", f"a local cannot be {type_}", py_assign.annotation
        )
    _refuse_global(context, py_target)
    if py_assign.value is None:
        scope_of(context).locals[py_target.id] = Local(
            py_target.id, type_, fold.range_of(type_)
        )
        return []
    value = context.check_as(py_assign.value, type_)
    return assign_name(context, py_target, value, py_assign.value, type_)


def _refuse_global(context: Context, py_target: ast.Name) -> None:
    if py_target.id in scope_of(context).declared_global:
        message = f'"{py_target.id}" is global: its type is at module level'
        raise context.refusal("GST0028", message, py_target)


def assign_name(
    context: Context,
    py_target: ast.Name,
    value: Expr,
    py_value: ast.expr | ast.AugAssign,
    declared: ScalarType | None = None,
) -> list[Stmt]:
    """Assign a checked value to a name; a fixed value leaves no statement."""
    scope, name = scope_of(context), py_target.id
    if name == DISCARD:
        return [Evaluate(value)]
    if isinstance(value, Const) and declared is None and _is_new(scope, name):
        _require_named(context, py_target, value, py_value)
    type_ = declared or _type_of_value(context, value, py_value)
    if scope.stores[name] == 1 and _is_new(scope, name) and fold.is_fixed(value):
        typed = value
        if isinstance(value, Const) and isinstance(type_, IntType):
            typed = fold.integer(value.value, type_)
        scope.fixed[name] = typed
        scope.mark_assigned(name)
        return []
    place = bind(context, py_target, type_, value.interval, py_value, declared)
    return [Assign(place, value)]


def _is_new(scope: FunctionScope, name: str) -> bool:
    return name not in scope.locals and name not in scope.declared_global


def _require_named(
    context: Context,
    py_target: ast.Name,
    value: Const,
    py_value: ast.expr | ast.AugAssign,
) -> None:
    """A literal alone does not say which integer type its local has."""
    is_named = any(isinstance(node, ast.Name) for node in ast.walk(py_value))
    if isinstance(value.type, IntType) and not is_named:
        name, text = py_target.id, ast.unparse(py_value)
        message = f'the type of "{name}" is not clear from a literal'
        raise context.refusal(
            "GST0027", message, py_target, f"write {name}: u32 = {text}"
        )


def _type_of_value(
    context: Context, value: Expr, py_value: ast.expr | ast.AugAssign
) -> ScalarType:
    type_ = value.type
    if isinstance(type_, TupleType) or type_ in (NONE, TABLE):
        what = "nothing" if type_ == NONE else str(type_)
        raise context.refusal("GST0022", f"a local cannot hold {what}", py_value)
    return type_


def bind(
    context: Context,
    py_target: ast.Name,
    type_: ScalarType,
    interval: Interval,
    node: ast.expr | ast.AugAssign,
    declared: ScalarType | None = None,
) -> Place:
    """Return the place that a name stands for, made if it is new."""
    scope, name = scope_of(context), py_target.id
    if name in scope.counters:
        message = f'"{name}" counts the loop around it and is not assigned there'
        raise context.refusal("GST0037", message, py_target, "use another local")
    if name in scope.poisoned:
        raise Poisoned
    place: Place
    if name in scope.declared_global:
        place = _global(context, py_target)
    elif name in scope.locals:
        place = scope.locals[name]
    else:
        known = interval if scope.stores[name] == 1 else fold.range_of(type_)
        place = scope.locals[name] = Local(name, type_, known)
        scope.mark_assigned(name)
        return place
    if declared is not None and declared != place.type:
        message = f'"{name}" has type {place.type} in this function'
        raise context.refusal("GST0028", message, py_target, "use another name")
    context.require(_stand_in(type_, interval), place.type, node)
    scope.mark_assigned(name)
    return place


def _stand_in(type_: ScalarType, interval: Interval) -> Expr:
    return ReadLocal(Local("", type_, interval), type_, interval)


def _global(context: Context, py_target: ast.Name) -> GlobalSymbol:
    symbol = find_symbol(context, py_target)
    assert isinstance(symbol, GlobalSymbol)  # checked by the `global` statement
    return symbol


# --- a, b = ... ----------------------------------------------------------------------


def check_unpack(
    context: Context, py_target: ast.Tuple, py_value: ast.expr
) -> list[Stmt]:
    """Check `a, b = f()` and `a, b = b, a`."""
    py_names = [_unpack_name(context, py) for py in py_target.elts]
    names = [py_name.id for py_name in py_names if py_name.id != DISCARD]
    if len(set(names)) < len(names):
        raise context.refusal("GST0028", "one name stands here twice", py_target)
    if isinstance(py_value, ast.Tuple):
        return _assign_parallel(context, py_names, py_value)
    value = context.check(py_value)
    if not isinstance(value.type, TupleType):
        message = f"a {value.type} is not several results"
        raise context.refusal("GST0029", message, py_value)
    items = value.type.items
    if len(items) != len(py_names):
        message = f"{len(items)} results for {len(py_names)} names"
        raise context.refusal("GST0029", message, py_target)
    places = [
        None
        if py_name.id == DISCARD
        else bind(context, py_name, type_, fold.range_of(type_), py_name)
        for py_name, type_ in zip(py_names, items, strict=True)
    ]
    return [Unpack(tuple(places), value)]


def _unpack_name(context: Context, py_target: ast.expr) -> ast.Name:
    if not isinstance(py_target, ast.Name):
        message = "several results go to names only"
        raise context.refusal(
            "GST0028", message, py_target, "assign to a local, then store it"
        )
    return py_target


def _assign_parallel(
    context: Context, py_names: list[ast.Name], py_value: ast.Tuple
) -> list[Stmt]:
    """All values are evaluated before the first name is assigned."""
    if len(py_value.elts) != len(py_names):
        message = f"{len(py_value.elts)} values for {len(py_names)} names"
        raise context.refusal("GST0029", message, py_value)
    before: list[Stmt] = []
    after: list[Stmt] = []
    for py_name, py_item in zip(py_names, py_value.elts, strict=True):
        value = context.check_value(py_item)
        if not fold.is_fixed(value):
            type_ = _type_of_value(context, value, py_item)
            local = Local(f"new_{py_name.id}", type_, value.interval)
            before.append(Assign(local, value))
            value = fold.read_local(local)
        after += assign_name(context, py_name, value, py_item)
    return before + after

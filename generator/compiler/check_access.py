"""Check names, literals, attributes and subscripts."""

from __future__ import annotations

import ast

from generator.compiler import fold
from generator.compiler.bounds import known_count
from generator.compiler.context import Context
from generator.compiler.ir import (
    Expr,
    PoolItem,
    ReadField,
    Slice,
    Static,
)
from generator.compiler.scope import Poisoned
from generator.compiler.source_module import did_you_mean
from generator.compiler.symbols import (
    ArraySymbol,
    BytesSymbol,
    ConstantSymbol,
    EnumSymbol,
    FunctionSymbol,
    GlobalSymbol,
    HostcallSymbol,
    PoolSymbol,
    StaticObject,
    Symbol,
    TableSymbol,
)
from generator.compiler.types import (
    BUFFER,
    TABLE,
    U8,
    U32_TYPE,
    VIEW,
    WORDS,
    IntType,
    RecordType,
)
from generator.errors import CompileError


def check_constant(context: Context, py_expr: ast.Constant) -> Expr:
    """Check a literal: an integer, a bool or bytes."""
    value = py_expr.value
    if isinstance(value, bool):
        return fold.boolean(value)
    if isinstance(value, int):
        return fold.integer(value)
    if isinstance(value, bytes):
        return literal(value)
    if isinstance(value, str):
        hint = f"write b{value!r}" if value.isascii() else ""
        raise context.refusal("GST0011", "a str is not guest Python", py_expr, hint)
    name = type(value).__name__
    raise context.refusal("GST0011", f"{name} is not a type of guest Python", py_expr)


def literal(value: bytes) -> Static:
    """Make a view of constant bytes."""
    return Static(StaticObject("bytes", U8, len(value), value), VIEW)


def check_name(context: Context, py_name: ast.Name) -> Expr:
    """Check a name that is read."""
    name = py_name.id
    scope = context.scope
    if scope is not None and scope.is_local(name):
        return _local(context, py_name)
    symbol = find_symbol(context, py_name)
    match symbol:
        case ConstantSymbol():
            return fold.constant(symbol.value, symbol.type)
        case BytesSymbol():
            return literal(symbol.value)
        case TableSymbol():
            return Static(symbol.object, TABLE)
        case ArraySymbol():
            return Static(symbol.object, symbol.type)
        case PoolSymbol(is_single=True):
            return PoolItem(symbol.object, fold.integer(0), symbol.record)
        case GlobalSymbol():
            return fold.read_global(symbol)
        case FunctionSymbol() | HostcallSymbol():
            raise context.refusal(
                "GST0011",
                f'a function is not a value: "{name}"',
                py_name,
                f"call it: {name}(...)",
            )
        case _:
            raise context.refusal("GST0011", f'"{name}" is not a value', py_name)


def find_symbol(context: Context, py_name: ast.Name) -> Symbol:
    """Return what a name of the module means."""
    symbol = context.names.get(py_name.id)
    if symbol is None:
        known = set(context.names)
        if context.scope is not None:
            known |= set(context.scope.locals) | set(context.scope.counters)
        hint = did_you_mean(py_name.id, known)
        raise context.refusal(
            "GST0013", f'"{py_name.id}" is not defined', py_name, hint
        )
    return symbol


def _local(context: Context, py_name: ast.Name) -> Expr:
    name = py_name.id
    scope = context.scope
    assert scope is not None
    counter = scope.counters.get(name)
    if counter is not None:
        return fold.read_local(counter)
    if name in scope.poisoned:
        raise Poisoned
    if not scope.is_assigned(name) or (
        name not in scope.locals and name not in scope.fixed
    ):
        raise _refuse_unassigned(context, py_name)
    fixed = scope.fixed.get(name)
    return fixed if fixed is not None else fold.read_local(scope.locals[name])


def _refuse_unassigned(context: Context, py_name: ast.Name) -> CompileError:
    scope = context.scope
    assert scope is not None
    name = py_name.id
    if name in scope.old_counters:
        message = f'"{name}" lives only inside its loop'
        hint = "assign it to another name inside the loop"
    elif name in context.names:
        message = f'"{name}" is a local here, since the function assigns it'
        hint = f"write `global {name}` at the top of the function"
    else:
        message = f'"{name}" may have no value here'
        hint = "assign it before, on every path"
    return context.refusal("GST0026", message, py_name, hint)


def check_attribute(context: Context, py_expr: ast.Attribute) -> Expr:
    """Check `Enum.MEMBER` or `record.field`."""
    if isinstance(py_expr.value, ast.Name):
        symbol = context.names.get(py_expr.value.id)
        if isinstance(symbol, EnumSymbol) and not _is_shadowed(context, py_expr.value):
            return _member(context, symbol, py_expr)
    record = context.check_value(py_expr.value)
    return field_of(context, record, py_expr)


def _is_shadowed(context: Context, py_name: ast.Name) -> bool:
    return context.scope is not None and context.scope.is_local(py_name.id)


def _member(context: Context, enum: EnumSymbol, py_expr: ast.Attribute) -> Expr:
    value = enum.members.get(py_expr.attr)
    if value is None:
        message = f'{enum.name} has no member "{py_expr.attr}"'
        hint = did_you_mean(py_expr.attr, enum.members)
        raise context.refusal("GST0014", message, py_expr, hint)
    return fold.integer(value)


def field_of(context: Context, record: Expr, py_expr: ast.Attribute) -> ReadField:
    """Check `.field` of a record."""
    if not isinstance(record.type, RecordType):
        message = f'a {record.type} has no attribute "{py_expr.attr}"'
        raise context.refusal("GST0014", message, py_expr)
    field = record.type.field(py_expr.attr)
    if field is None:
        message = f'{record.type.name} has no field "{py_expr.attr}"'
        hint = did_you_mean(py_expr.attr, [f.name for f in record.type.fields])
        raise context.refusal("GST0014", message, py_expr, hint)
    return fold.read_field(record, field)


def check_subscript(context: Context, py_expr: ast.Subscript) -> Expr:
    """Check `x[i]` or `x[a:b]`."""
    pool = _pool(context, py_expr.value)
    if pool is not None:
        if isinstance(py_expr.slice, ast.Slice):
            raise context.refusal("GST0022", "a Pool has no slices", py_expr)
        index = check_index(context, py_expr.slice, pool.object.count)
        return PoolItem(pool.object, index, pool.record)
    array = context.check_value(py_expr.value)
    if isinstance(py_expr.slice, ast.Slice):
        return _slice(context, array, py_expr, py_expr.slice)
    element = element_type(context, array, py_expr.value)
    index = check_index(context, py_expr.slice, known_count(array))
    return fold.element(array, index, element)


def _pool(context: Context, py_expr: ast.expr) -> PoolSymbol | None:
    if not isinstance(py_expr, ast.Name) or _is_shadowed(context, py_expr):
        return None
    symbol = context.names.get(py_expr.id)
    is_pool = isinstance(symbol, PoolSymbol) and not symbol.is_single
    return symbol if is_pool and isinstance(symbol, PoolSymbol) else None


def element_type(context: Context, array: Expr, py_expr: ast.expr) -> IntType:
    """Return the type of `array[i]`."""
    if array.type in (VIEW, BUFFER):
        return U8
    if array.type == WORDS:
        return U32_TYPE
    if isinstance(array, Static) and isinstance(array.object.element, IntType):
        return array.object.element
    raise context.refusal("GST0022", f"a {array.type} has no elements", py_expr)


def check_index(context: Context, py_index: ast.expr, count: int | None) -> Expr:
    """Check an index: from 0 up, and not certainly past the end."""
    index = context.check_int(py_index)
    if index.interval.low < 0:
        message = f"an index must not be negative; this can be {index.interval}"
        raise context.refusal("GST0034", message, py_index)
    if count is not None and index.interval.low >= count:
        message = f"index {index.interval} is outside {count} elements"
        raise context.refusal("GST0035", message, py_index)
    return index


def _slice(
    context: Context, array: Expr, py_expr: ast.Subscript, py_slice: ast.Slice
) -> Expr:
    if array.type not in (VIEW, BUFFER):
        raise context.refusal("GST0022", f"a {array.type} has no slices", py_expr)
    if py_slice.step is not None:
        raise context.refusal("GST0011", "a slice has no step here", py_slice.step)
    start = _bound(context, py_slice.lower) or fold.integer(0)
    return Slice(array, start, _bound(context, py_slice.upper))


def _bound(context: Context, py_bound: ast.expr | None) -> Expr | None:
    if py_bound is None:
        return None
    bound = context.check_int(py_bound)
    if bound.interval.low < 0:
        message = f"a bound must not be negative; this can be {bound.interval}"
        raise context.refusal("GST0034", message, py_bound)
    return bound

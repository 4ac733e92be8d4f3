"""Module-level values: constants, mutable scalars, static arrays, pools."""

from __future__ import annotations

import ast

from generator.compiler import fold
from generator.compiler.annotation import scalar_type
from generator.compiler.context import Context
from generator.compiler.ir import (
    Const,
    Expr,
    Static,
)
from generator.compiler.symbols import (
    ArraySymbol,
    BuiltinSymbol,
    BytesSymbol,
    ConstantSymbol,
    GlobalSymbol,
    PoolSymbol,
    RecordSymbol,
    StaticObject,
    Symbol,
    TableSymbol,
)
from generator.compiler.types import (
    BOOL,
    BUFFER,
    INT_TYPES,
    U8,
    U32_TYPE,
    VIEW,
    WORDS,
    IntType,
    RecordType,
)
from generator.errors import CompileError


def collect_annotated(
    context: Context, py_assign: ast.AnnAssign, override: int | None
) -> Symbol:
    """Read `NAME: Final = value`, `NAME: Final[type] = value` or `name: u32 = 0`."""
    annotation, py_value = py_assign.annotation, py_assign.value
    assert isinstance(py_assign.target, ast.Name)
    name = py_assign.target.id
    if py_value is None:
        raise context.refusal("GST0012", f'"{name}" has no value', py_assign)
    if _is_builtin(context, annotation, "Final"):
        return _final(context, name, None, py_value, override)
    if isinstance(annotation, ast.Subscript) and _is_builtin(
        context, annotation.value, "Final"
    ):
        return _final(context, name, annotation.slice, py_value, override)
    return _mutable(context, name, annotation, py_value)


def collect_assigned(context: Context, name: str, py_value: ast.expr) -> Symbol:
    """Read `NAME = Buffer(64)` and the like."""
    symbol = _static(context, name, py_value)
    if symbol is None:
        hint = f"write {name}: Final = ..., or {name}: u32 = ... if it changes"
        message = "a module-level value needs an annotation"
        raise context.refusal("GST0012", message, py_value, hint)
    return symbol


def _is_builtin(context: Context, py_expr: ast.expr, name: str) -> bool:
    if not isinstance(py_expr, ast.Name):
        return False
    symbol = context.names.get(py_expr.id)
    return isinstance(symbol, BuiltinSymbol) and symbol.name == name


# --- constants -----------------------------------------------------------------------


def _final(
    context: Context,
    name: str,
    py_type: ast.expr | None,
    py_value: ast.expr,
    override: int | None,
) -> Symbol:
    static = _static(context, name, py_value)
    if static is not None:
        return static
    if isinstance(py_value, ast.Tuple):
        return _table(context, name, py_type, py_value)
    value = context.check(py_value)
    if isinstance(value, Static) and value.type == VIEW:
        if value.object.is_embedded:
            raise _not_constant(context, py_value)
        return BytesSymbol(value.object.contents)
    type_ = None if py_type is None else scalar_type(context, py_type)
    if not isinstance(value, Const) or not isinstance(value.type, IntType):
        return _flag(context, value, py_value)
    if override is not None:
        value = fold.integer(override)
    if type_ is not None:
        context.require(value, type_, py_value)
    context.require_64(value.interval, py_value)
    return ConstantSymbol(value.value, type_ if isinstance(type_, IntType) else None)


def _flag(context: Context, value: Expr, py_value: ast.expr) -> ConstantSymbol:
    if isinstance(value, Const) and value.type == BOOL:
        return ConstantSymbol(value.value, BOOL)
    raise _not_constant(context, py_value)


def _not_constant(context: Context, py_value: ast.expr) -> CompileError:
    return context.refusal(
        "GST0030", "this is not known when the module is built", py_value
    )


def constant_int(context: Context, py_value: ast.expr) -> int:
    """Return the value of a constant integer expression."""
    value = context.check_int(py_value)
    if not isinstance(value, Const):
        raise _not_constant(context, py_value)
    return value.value


def _table(
    context: Context, name: str, py_type: ast.expr | None, py_value: ast.Tuple
) -> TableSymbol:
    element = _table_element(context, py_type, py_value)
    values = []
    for py_item in py_value.elts:
        item = context.check_as(py_item, element)
        if not isinstance(item, Const):
            raise _not_constant(context, py_item)
        values.append(item.value)
    contents = b"".join(_encode(element, value) for value in values)
    static = StaticObject(name, element, len(values), contents)
    return TableSymbol(static, element, tuple(values))


def _table_element(
    context: Context, py_type: ast.expr | None, py_value: ast.Tuple
) -> IntType:
    match py_type:
        case ast.Subscript(
            value=ast.Name(id="tuple"),
            slice=ast.Tuple(elts=[py_element, ast.Constant(value=value)]),
        ) if value is ...:
            element = scalar_type(context, py_element)
            if isinstance(element, IntType):
                return element
    message = "a constant array needs the type of its elements"
    hint = "write NAME: Final[tuple[u32, ...]] = (...)"
    raise context.refusal("GST0016", message, py_type or py_value, hint)


def _encode(type_: IntType, value: int) -> bytes:
    wrapped = value % (1 << 8 * type_.size_bytes)
    return wrapped.to_bytes(type_.size_bytes, "little")


# --- what changes --------------------------------------------------------------------


def _mutable(
    context: Context, name: str, py_type: ast.expr, py_value: ast.expr
) -> GlobalSymbol:
    type_ = scalar_type(context, py_type)
    if not isinstance(type_, IntType) and type_ != BOOL:
        message = f"a global cannot be {type_}"
        hint = "views live only as long as a callback: copy the bytes to a Buffer"
        raise context.refusal(
            "GST0016", message, py_type, hint if type_ == VIEW else ""
        )
    value = context.check_as(py_value, type_)
    if not isinstance(value, Const):
        raise _not_constant(context, py_value)
    return GlobalSymbol(name, context.module.name, type_, value.value)


def _static(context: Context, name: str, py_value: ast.expr) -> Symbol | None:
    """Read a call that makes a static object, if it is one."""
    if not isinstance(py_value, ast.Call) or not isinstance(py_value.func, ast.Name):
        return None
    symbol = context.names.get(py_value.func.id)
    qualified = f"{context.module.name}.{name}"
    match symbol:
        case RecordSymbol(type=record):
            _require_arguments(context, py_value, 0)
            return PoolSymbol(_records(qualified, record, 1), record, is_single=True)
        case BuiltinSymbol(name="Pool"):
            return _pool(context, qualified, py_value)
        case BuiltinSymbol(name="Buffer"):
            return ArraySymbol(_array(context, qualified, U8, py_value), BUFFER)
        case BuiltinSymbol(name="Words"):
            return ArraySymbol(_array(context, qualified, U32_TYPE, py_value), WORDS)
        case _:
            return None


def _require_arguments(context: Context, py_call: ast.Call, count: int) -> None:
    if len(py_call.args) != count or py_call.keywords:
        message = f"{ast.unparse(py_call.func)} takes {count} arguments here"
        raise context.refusal("GST0021", message, py_call)


def _count(context: Context, py_count: ast.expr) -> int:
    count = constant_int(context, py_count)
    if not 0 < count < 2**30:
        message = f"a static object has 1 to {2**30 - 1} elements, not {count}"
        raise context.refusal("GST0023", message, py_count)
    return count


def _array(
    context: Context, name: str, element: IntType, py_call: ast.Call
) -> StaticObject:
    _require_arguments(context, py_call, 1)
    return StaticObject(name, element, _count(context, py_call.args[0]))


def _pool(context: Context, name: str, py_call: ast.Call) -> PoolSymbol:
    _require_arguments(context, py_call, 2)
    py_record, py_count = py_call.args
    symbol = None
    if isinstance(py_record, ast.Name):
        symbol = context.names.get(py_record.id)
    if not isinstance(symbol, RecordSymbol):
        raise context.refusal("GST0022", "a Pool holds a @record class", py_record)
    pool = _records(name, symbol.type, _count(context, py_count))
    return PoolSymbol(pool, symbol.type, is_single=False)


def _records(name: str, record: RecordType, count: int) -> StaticObject:
    """Make records with their defaults; without defaults they take no bytes."""
    first = bytearray(record.size_bytes)
    for field in record.fields:
        type_ = field.type if isinstance(field.type, IntType) else INT_TYPES["u8"]
        encoded = _encode(type_, field.default)
        first[field.offset_bytes : field.offset_bytes + len(encoded)] = encoded
    contents = bytes(first) * count if any(first) else b""
    return StaticObject(name, record, count, contents)

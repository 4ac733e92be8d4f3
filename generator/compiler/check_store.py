"""Check assignments: which kind each is; fields, elements, `+=`, buffer methods."""

from __future__ import annotations

import ast

from generator.compiler import fold
from generator.compiler.bounds import known_count
from generator.compiler.check_access import (
    check_index,
    check_subscript,
    element_type,
    field_of,
)
from generator.compiler.check_arithmetic import make_binary, operation_of
from generator.compiler.check_assignment import assign_name, check_unpack
from generator.compiler.check_call import check_offset
from generator.compiler.context import Context
from generator.compiler.intrinsics import STORES
from generator.compiler.ir import (
    Element,
    Expr,
    Local,
    ReadLocal,
)
from generator.compiler.ir_statements import (
    Assign,
    CopyBytes,
    Stmt,
    StoreBytes,
    StoreElement,
    StoreField,
)
from generator.compiler.types import (
    BUFFER,
    WORDS,
    IntType,
    PlainType,
    RecordType,
)


def check_assign(context: Context, py_assign: ast.Assign) -> list[Stmt]:
    """Check `target = value`."""
    if len(py_assign.targets) != 1:
        raise context.refusal("GST0028", "assign to one target at a time", py_assign)
    py_target = py_assign.targets[0]
    if isinstance(py_target, ast.Tuple):
        return check_unpack(context, py_target, py_assign.value)
    value = context.check_value(py_assign.value)
    if isinstance(py_target, ast.Name):
        return assign_name(context, py_target, value, py_assign.value)
    return _store(context, py_target, value, py_assign.value)


# --- fields and elements -------------------------------------------------------------


def _store(
    context: Context, py_target: ast.expr, value: Expr, py_value: ast.expr
) -> list[Stmt]:
    """Check `record.field = value` or `array[index] = value`."""
    match py_target:
        case ast.Attribute():
            record = context.check_value(py_target.value)
            field = field_of(context, record, py_target).field
            context.require(value, field.type, py_value)
            return [StoreField(record, field, value)]
        case ast.Subscript():
            array, index, element = _element_target(context, py_target)
            context.require(value, element, py_value)
            return [StoreElement(array, index, value)]
        case _:
            raise context.refusal("GST0028", "this cannot be assigned to", py_target)


def _element_target(
    context: Context, py_target: ast.Subscript
) -> tuple[Expr, Expr, IntType]:
    if isinstance(py_target.slice, ast.Slice):
        hint = "write BUFFER.put(start, view)"
        raise context.refusal(
            "GST0028", "a slice cannot be assigned to", py_target, hint
        )
    if isinstance(check_subscript(context, py_target).type, RecordType):
        hint = "assign to its fields"
        raise context.refusal("GST0028", "a record cannot be replaced", py_target, hint)
    array = context.check_value(py_target.value)
    if array.type not in (BUFFER, WORDS):
        message = f"a {array.type} cannot be written"
        raise context.refusal("GST0028", message, py_target, "use a Buffer or a Words")
    index = check_index(context, py_target.slice, known_count(array))
    return array, index, element_type(context, array, py_target.value)


def check_augmented(context: Context, py_assign: ast.AugAssign) -> list[Stmt]:
    """Check `target += value`; the target's index is evaluated once."""
    py_target = py_assign.target
    if isinstance(py_target, ast.Name):
        py_read = ast.copy_location(ast.Name(py_target.id, ast.Load()), py_target)
        value = _operate(context, context.check_int(py_read), py_assign)
        return assign_name(context, py_target, value, py_assign)
    if isinstance(py_target, ast.Attribute):
        record, before = _once(context.check_value(py_target.value), "record")
        field = field_of(context, record, py_target)
        value = _operate(context, field, py_assign)
        context.require(value, field.type, py_assign)
        return [*before, StoreField(record, field.field, value)]
    array, index, element = _element_target(context, py_target)
    array, before_array = _once(array, "array")
    index, before = _once(index, "index")
    read = Element(array, index, element, element.range)
    value = _operate(context, read, py_assign)
    context.require(value, element, py_assign)
    return [*before_array, *before, StoreElement(array, index, value)]


def _operate(context: Context, left: Expr, py_assign: ast.AugAssign) -> Expr:
    operation = operation_of(context, py_assign.op, py_assign)
    right = context.check_int(py_assign.value)
    context.integer(left, py_assign.target)
    return make_binary(context, operation, left, right, py_assign)


def _once(expr: Expr, name: str) -> tuple[Expr, list[Stmt]]:
    """Return an expression that may stand twice, and the statement that makes it so."""
    if fold.is_fixed(expr) or isinstance(expr, ReadLocal):
        return expr, []
    assert isinstance(expr.type, IntType | PlainType | RecordType)
    local = Local(name, expr.type, expr.interval)
    return fold.read_local(local), [Assign(local, expr)]


# --- buffer.put(...) -----------------------------------------------------------------


def check_method(
    context: Context, py_call: ast.Call, py_method: ast.Attribute
) -> list[Stmt]:
    """Check `buffer.put(offset, view)` or `buffer.put_u32(offset, value)`."""
    buffer = context.check_value(py_method.value)
    name = py_method.attr
    if buffer.type != BUFFER or (name != "put" and name not in STORES):
        message = f'a {buffer.type} has no method "{name}"'
        raise context.refusal("GST0014", message, py_method)
    if len(py_call.args) != 2 or py_call.keywords:
        raise context.refusal("GST0021", f"{name} takes an offset and a value", py_call)
    py_offset, py_value = py_call.args
    offset = check_offset(context, py_offset)
    if name == "put":
        return [CopyBytes(buffer, offset, context.check_view(py_value))]
    access = STORES[name]
    value = context.check_as(py_value, access.type)
    size = access.type.size_bytes
    return [StoreBytes(buffer, offset, value, size, access.is_big_endian)]

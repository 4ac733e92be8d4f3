"""Module-level classes: `IntEnum`s and records."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from generator.compiler.annotation import scalar_type
from generator.compiler.collect_value import constant_int
from generator.compiler.context import Context
from generator.compiler.ir import (
    Const,
)
from generator.compiler.symbols import BuiltinSymbol, EnumSymbol, RecordSymbol, Symbol
from generator.compiler.types import BOOL, Field, IntType, RecordType, size_of


def collect_class(context: Context, py_class: ast.ClassDef) -> Symbol:
    """Read a class: `class X(IntEnum)` or `@record class X`."""
    if py_class.keywords:
        raise context.refusal("GST0012", "a class takes no keywords here", py_class)
    if _names(context, py_class.decorator_list) == ["record"] and not py_class.bases:
        return RecordSymbol(_record(context, py_class))
    if _names(context, py_class.bases) == ["IntEnum"] and not py_class.decorator_list:
        return _enum(context, py_class)
    message = "a class is an IntEnum or a @record"
    hint = f"write `@record` above, or `class {py_class.name}(IntEnum)`"
    raise context.refusal("GST0012", message, py_class, hint)


def _names(context: Context, py_exprs: list[ast.expr]) -> list[str]:
    """Return which of the language's names these are ("" for others)."""
    names = []
    for py_expr in py_exprs:
        symbol = None
        if isinstance(py_expr, ast.Name):
            symbol = context.names.get(py_expr.id)
        names.append(symbol.name if isinstance(symbol, BuiltinSymbol) else "")
    return names


def _statements(py_class: ast.ClassDef) -> Iterator[ast.stmt]:
    """Yield the statements of a class, docstrings and `pass` left out."""
    for py_statement in py_class.body:
        match py_statement:
            case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                yield py_statement


def _enum(context: Context, py_class: ast.ClassDef) -> EnumSymbol:
    members: dict[str, int] = {}
    for py_statement in _statements(py_class):
        match py_statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=py_value):
                if name in members:
                    message = f'"{name}" is already a member'
                    raise context.refusal("GST0018", message, py_statement)
                members[name] = constant_int(context, py_value)
            case _:
                message = "an IntEnum has members NAME = number only"
                raise context.refusal("GST0012", message, py_statement)
    return EnumSymbol(py_class.name, members)


def _record(context: Context, py_class: ast.ClassDef) -> RecordType:
    fields: list[Field] = []
    offset, alignment = 0, 1
    for py_statement in _statements(py_class):
        field = _field(context, py_statement, offset)
        if any(field.name == other.name for other in fields):
            message = f'"{field.name}" is already a field'
            raise context.refusal("GST0018", message, py_statement)
        fields.append(field)
        offset = field.offset_bytes + size_of(field.type)
        alignment = max(alignment, size_of(field.type))
    if not fields:
        raise context.refusal("GST0012", "a record has at least one field", py_class)
    return RecordType(py_class.name, tuple(fields), _aligned(offset, alignment))


def _field(context: Context, py_statement: ast.stmt, offset: int) -> Field:
    if not isinstance(py_statement, ast.AnnAssign) or not isinstance(
        py_statement.target, ast.Name
    ):
        message = "a record has fields only"
        raise context.refusal("GST0012", message, py_statement, "write name: u32 = 0")
    name = py_statement.target.id
    type_ = scalar_type(context, py_statement.annotation)
    if not isinstance(type_, IntType) and type_ != BOOL:
        message = f"a field is an integer or a bool, not {type_}"
        raise context.refusal("GST0016", message, py_statement.annotation)
    if py_statement.value is None:
        hint = f"write {name}: {type_} = {'False' if type_ == BOOL else '0'}"
        raise context.refusal("GST0012", f'"{name}" has no default', py_statement, hint)
    default = context.check_as(py_statement.value, type_)
    if not isinstance(default, Const):
        message = "a default must be known when the module is built"
        raise context.refusal("GST0030", message, py_statement.value)
    assert not hasattr(type_, "fields")
    return Field(name, type_, _aligned(offset, size_of(type_)), default.value)


def _aligned(offset: int, size: int) -> int:
    return -(-offset // size) * size

"""Read type annotations."""

from __future__ import annotations

import ast

from generator.compiler.context import Context
from generator.compiler.source_module import did_you_mean
from generator.compiler.symbols import BuiltinSymbol, RecordSymbol
from generator.compiler.types import (
    BUFFER,
    NAMED_TYPES,
    NONE,
    WORDS,
    ScalarType,
    TupleType,
    Type,
)


def resolve_type(context: Context, py_type: ast.expr) -> Type:
    """Return the type that an annotation names."""
    if isinstance(py_type, ast.Constant) and py_type.value is None:
        return NONE
    if isinstance(py_type, ast.Name):
        return _named(context, py_type)
    if isinstance(py_type, ast.Subscript) and _is_tuple(py_type.value):
        return _tuple(context, py_type)
    raise context.refusal("GST0016", "this is not a guest type", py_type)


def scalar_type(context: Context, py_type: ast.expr) -> ScalarType:
    """Return the type of something that holds one value."""
    type_ = resolve_type(context, py_type)
    if isinstance(type_, TupleType) or type_ == NONE:
        raise context.refusal("GST0016", f"{type_} cannot stand here", py_type)
    return type_


def _named(context: Context, py_name: ast.Name) -> ScalarType:
    symbol = context.names.get(py_name.id)
    if isinstance(symbol, RecordSymbol):
        return symbol.type
    if isinstance(symbol, BuiltinSymbol) and symbol.name in NAMED_TYPES:
        return NAMED_TYPES[symbol.name]
    if py_name.id in NAMED_TYPES:
        hint = f"write `from filters.lang import {py_name.id}`"
    elif py_name.id == "int":
        hint = "use u8, u16, u32, u64, i32 or i64"
    elif py_name.id in ("bytes", "bytearray", "memoryview"):
        hint = "use View, or a static Buffer"
    else:
        hint = did_you_mean(py_name.id, NAMED_TYPES)
    raise context.refusal(
        "GST0016", f'"{py_name.id}" is not a guest type', py_name, hint
    )


def _is_tuple(py_expr: ast.expr) -> bool:
    return isinstance(py_expr, ast.Name) and py_expr.id == "tuple"


def _tuple(context: Context, py_type: ast.Subscript) -> TupleType:
    py_items = py_type.slice
    if not isinstance(py_items, ast.Tuple) or len(py_items.elts) < 2:
        raise context.refusal("GST0016", "tuple[...] names two or more types", py_type)
    items = tuple(scalar_type(context, py_item) for py_item in py_items.elts)
    for item, py_item in zip(items, py_items.elts, strict=True):
        if item in (BUFFER, WORDS):
            raise context.refusal("GST0016", f"a {item} is not returned", py_item)
    return TupleType(items)

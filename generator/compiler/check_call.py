"""Check calls: functions, hostcalls, conversions and the language's own functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Final

from generator.compiler import fold
from generator.compiler.check_access import find_symbol
from generator.compiler.context import Context
from generator.compiler.intrinsics import LOADS, RUNTIME_CALLS, STORES
from generator.compiler.ir import (
    Call,
    Expr,
    LoadBytes,
    Static,
)
from generator.compiler.symbols import (
    BuiltinSymbol,
    FunctionSymbol,
    HostcallSymbol,
    PoolSymbol,
    RecordSymbol,
    RuntimeSymbol,
    Symbol,
    embedded_object,
)
from generator.compiler.types import (
    BOOL,
    BUFFER,
    INT_TYPES,
    TABLE,
    U32_TYPE,
    VIEW,
    WORDS,
    ScalarType,
)
from generator.errors import CompileError


def check_call(context: Context, py_call: ast.Call) -> Expr:
    """Check a call that is used as an expression."""
    py_function = py_call.func
    if isinstance(py_function, ast.Attribute):
        raise _refuse_method(context, py_function)
    if not isinstance(py_function, ast.Name):
        raise context.refusal(
            "GST0011", "only a function's name can be called", py_function
        )
    symbol = _callee(context, py_function)
    if isinstance(symbol, BuiltinSymbol):
        return _builtin(context, symbol.name, py_call)
    if isinstance(symbol, FunctionSymbol | HostcallSymbol):
        return _call(context, symbol, py_call)
    if isinstance(symbol, RecordSymbol):
        raise context.refusal(
            "GST0012",
            "records are made at module level only",
            py_call,
            f"write NAME = {symbol.type.name}() or a Pool at module level",
        )
    raise context.refusal(
        "GST0022", f'"{py_function.id}" cannot be called', py_function
    )


def _call(
    context: Context,
    symbol: FunctionSymbol | HostcallSymbol | RuntimeSymbol,
    py_call: ast.Call,
) -> Call:
    arguments = check_arguments(context, symbol.parameters, py_call, symbol.name)
    return Call(symbol, arguments, symbol.result, fold.range_of(symbol.result))


def _callee(context: Context, py_function: ast.Name) -> Symbol:
    if context.scope is not None and context.scope.is_local(py_function.id):
        message = f'"{py_function.id}" is a local and cannot be called'
        raise context.refusal("GST0022", message, py_function)
    return find_symbol(context, py_function)


def _refuse_method(context: Context, py_function: ast.Attribute) -> CompileError:
    if py_function.attr in STORES or py_function.attr == "put":
        message = f'"{py_function.attr}" gives no value'
        return context.refusal(
            "GST0022", message, py_function, "make it a statement of its own"
        )
    message = f'there is no method "{py_function.attr}" in guest Python'
    return context.refusal("GST0014", message, py_function)


def check_arguments(
    context: Context,
    parameters: tuple[tuple[str, ScalarType], ...],
    py_call: ast.Call,
    name: str,
) -> tuple[Expr, ...]:
    """Check arguments against parameters; keywords must come in order."""
    py_arguments = list(py_call.args)
    for keyword in py_call.keywords:
        place = len(py_arguments)
        if place >= len(parameters) or keyword.arg != parameters[place][0]:
            wanted = parameters[place][0] if place < len(parameters) else "none"
            message = f'keyword "{keyword.arg}" is not the next parameter ({wanted})'
            raise context.refusal("GST0021", message, keyword)
        py_arguments.append(keyword.value)
    if len(py_arguments) != len(parameters):
        given, wanted_count = len(py_arguments), len(parameters)
        message = f"{name} takes {wanted_count} arguments, not {given}"
        listing = ", ".join(f"{p}: {t}" for p, t in parameters)
        raise context.refusal("GST0021", message, py_call, f"{name}({listing})")
    pairs = zip(py_arguments, parameters, strict=True)
    return tuple(context.check_as(py, type_) for py, (_, type_) in pairs)


def _builtin(context: Context, name: str, py_call: ast.Call) -> Expr:
    if name in INT_TYPES:
        return _conversion(context, name, py_call)
    if name in LOADS:
        return _load(context, name, py_call)
    if name in RUNTIME_CALLS:
        return _call(context, RUNTIME_CALLS[name], py_call)
    check = _BUILTINS.get(name)
    if check is None:
        raise _refuse_builtin(context, name, py_call)
    return check(context, py_call)


def _refuse_builtin(context: Context, name: str, py_call: ast.Call) -> CompileError:
    if name in ("Buffer", "Words", "Pool"):
        message = f"a {name} is made at module level only"
        return context.refusal(
            "GST0012", message, py_call, f"write NAME = {name}(...) there"
        )
    if name == "range":
        message = "range(...) stands only in `for i in range(...)`"
        return context.refusal("GST0011", message, py_call)
    hint = "compare with 0" if name == "bool" else ""
    return context.refusal("GST0022", f'"{name}" cannot be called here', py_call, hint)


def _plain_arguments(
    context: Context, name: str, count: int, py_call: ast.Call
) -> list[ast.expr]:
    if py_call.keywords:
        message = f"{name} takes no keyword arguments"
        raise context.refusal("GST0021", message, py_call.keywords[0])
    if len(py_call.args) != count:
        plural = "" if count == 1 else "s"
        message = f"{name} takes {count} argument{plural}, not {len(py_call.args)}"
        raise context.refusal("GST0021", message, py_call)
    return py_call.args


def _conversion(context: Context, name: str, py_call: ast.Call) -> Expr:
    """`u32(x)`: of the operand only the low bits count."""
    (py_operand,) = _plain_arguments(context, name, 1, py_call)
    operand = context.check(py_operand)
    if operand.type != BOOL:
        context.integer(operand, py_operand)
    return fold.convert(INT_TYPES[name], operand)


def _load(context: Context, name: str, py_call: ast.Call) -> Expr:
    py_view, py_offset = _plain_arguments(context, name, 2, py_call)
    view = context.check_view(py_view)
    offset = check_offset(context, py_offset)
    access = LOADS[name]
    size, is_big = access.type.size_bytes, access.is_big_endian
    return LoadBytes(view, offset, size, is_big, access.type, access.type.range)


def check_offset(context: Context, py_offset: ast.expr) -> Expr:
    """Check a place in a view or a buffer: from 0 up."""
    offset = context.check_int(py_offset)
    if offset.interval.low < 0:
        message = f"an offset must not be negative; this can be {offset.interval}"
        raise context.refusal("GST0034", message, py_offset)
    return offset


def _length(context: Context, py_call: ast.Call) -> Expr:
    (py_array,) = _plain_arguments(context, "len", 1, py_call)
    if isinstance(py_array, ast.Name):
        is_local = context.scope is not None and context.scope.is_local(py_array.id)
        symbol = context.names.get(py_array.id)
        if isinstance(symbol, PoolSymbol) and not symbol.is_single and not is_local:
            return fold.integer(symbol.object.count, U32_TYPE)
    array = context.check_value(py_array)
    if array.type not in (VIEW, BUFFER, WORDS, TABLE):
        raise context.mismatch("View", array, py_array)
    return fold.length(array)


def _extreme(
    make: Callable[[Expr, Expr], Expr], name: str
) -> Callable[[Context, ast.Call], Expr]:
    def check(context: Context, py_call: ast.Call) -> Expr:
        py_left, py_right = _plain_arguments(context, name, 2, py_call)
        left, right = context.check_int(py_left), context.check_int(py_right)
        result = make(left, right)
        both = left.interval.union(right.interval)
        context.require_64(both, py_call)
        return result

    return check


def _rotate(context: Context, py_call: ast.Call) -> Expr:
    py_value, py_amount = _plain_arguments(context, "rotr32", 2, py_call)
    value = context.check_as(py_value, U32_TYPE)
    return fold.rotate_right(value, context.check_as(py_amount, U32_TYPE))


def _embedded(context: Context, py_call: ast.Call) -> Expr:
    (py_name,) = _plain_arguments(context, "embedded", 1, py_call)
    name = context.check(py_name)
    if not isinstance(name, Static) or name.type != VIEW or name.object.is_embedded:
        raise context.refusal("GST0030", "the name must be constant bytes", py_name)
    return Static(embedded_object(name.object.contents), VIEW)


_BUILTINS: Final[Mapping[str, Callable[[Context, ast.Call], Expr]]] = {
    "len": _length,
    "min": _extreme(fold.minimum, "min"),
    "max": _extreme(fold.maximum, "max"),
    "rotr32": _rotate,
    "embedded": _embedded,
}

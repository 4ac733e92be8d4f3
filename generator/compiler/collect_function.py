"""Module-level functions: signatures, decorators, hostcalls."""

from __future__ import annotations

import ast
from typing import Final

from generator.compiler.annotation import resolve_type, scalar_type
from generator.compiler.context import Context
from generator.compiler.host_table import HOST
from generator.compiler.signature import import_type
from generator.compiler.source_module import did_you_mean
from generator.compiler.symbols import (
    BuiltinSymbol,
    FunctionSymbol,
    HostcallSymbol,
)
from generator.compiler.types import (
    BOOL,
    BUFFER,
    NONE,
    VIEW,
    IntType,
    RecordType,
    ScalarType,
    TupleType,
    Type,
)
from generator.wasm.opcodes import ValueType

FUNCTION_MARKS: Final = frozenset({"export", "inline", "on_fault"})


def collect_function(
    context: Context, py_function: ast.FunctionDef
) -> FunctionSymbol | HostcallSymbol:
    """Read a function's head."""
    parameters = _parameters(context, py_function)
    result = _result(context, py_function)
    py_decorators = py_function.decorator_list
    if len(py_decorators) == 1 and isinstance(py_decorators[0], ast.Call):
        return _hostcall(context, py_function, py_decorators[0], parameters, result)
    marks = {_mark(context, py_decorator) for py_decorator in py_decorators}
    return FunctionSymbol(
        py_function.name,
        context.module.name,
        py_function,
        parameters,
        result,
        is_inline="inline" in marks,
        is_exported="export" in marks,
        is_fault_handler="on_fault" in marks,
    )


def _parameters(
    context: Context, py_function: ast.FunctionDef
) -> tuple[tuple[str, ScalarType], ...]:
    arguments = py_function.args
    extra = [*arguments.posonlyargs, *arguments.kwonlyargs]
    extra += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    if extra:
        message = "a function has plain parameters only"
        raise context.refusal("GST0019", message, extra[0])
    if arguments.defaults:
        message = "a parameter has no default"
        raise context.refusal("GST0019", message, arguments.defaults[0])
    parameters = []
    for py_argument in arguments.args:
        if py_argument.annotation is None:
            message = f'parameter "{py_argument.arg}" has no type'
            raise context.refusal("GST0017", message, py_argument)
        type_ = scalar_type(context, py_argument.annotation)
        parameters.append((py_argument.arg, type_))
    return tuple(parameters)


def _result(context: Context, py_function: ast.FunctionDef) -> Type:
    if py_function.returns is None:
        message = f'"{py_function.name}" has no result type'
        hint = "write -> None if it returns nothing"
        raise context.refusal("GST0017", message, py_function, hint)
    result = resolve_type(context, py_function.returns)
    if result not in (NONE, VIEW, BOOL) and not isinstance(result, _RESULTS):
        raise context.refusal(
            "GST0016", f"a {result} is not returned", py_function.returns
        )
    return result


def _mark(context: Context, py_decorator: ast.expr) -> str:
    if isinstance(py_decorator, ast.Name):
        symbol = context.names.get(py_decorator.id)
        if isinstance(symbol, BuiltinSymbol) and symbol.name in FUNCTION_MARKS:
            return symbol.name
    known = ", ".join(f"@{name}" for name in sorted(FUNCTION_MARKS))
    message = "this decorator is not guest Python"
    hint = f'known are {known} and @hostcall("env", "name")'
    raise context.refusal("GST0020", message, py_decorator, hint)


# --- hostcalls -----------------------------------------------------------------------


def _hostcall(
    context: Context,
    py_function: ast.FunctionDef,
    py_decorator: ast.Call,
    parameters: tuple[tuple[str, ScalarType], ...],
    result: Type,
) -> HostcallSymbol:
    import_module, import_name = _import_names(context, py_decorator)
    for py_statement in py_function.body:
        match py_statement:
            case ast.Expr(value=ast.Constant(value=value)) if (
                isinstance(value, str) or value is ...
            ):
                pass
            case _:
                message = "a hostcall has no body: the host has it"
                raise context.refusal("GST0044", message, py_statement, "write ...")
    for (name, type_), py_argument in zip(
        parameters, py_function.args.args, strict=True
    ):
        if not isinstance(type_, IntType) and type_ not in (BOOL, VIEW, BUFFER):
            message = f'parameter "{name}" cannot be {type_} for a host'
            raise context.refusal("GST0044", message, py_argument)
    _require_host_result(context, result, py_function)
    name = py_function.name
    symbol = HostcallSymbol(name, import_module, import_name, parameters, result)
    _require_known(context, symbol, py_decorator)
    return symbol


def _require_known(
    context: Context, symbol: HostcallSymbol, py_decorator: ast.Call
) -> None:
    """Envoy does not load a module with an import that it does not have."""
    py_module, py_name = py_decorator.args
    module, name = symbol.import_module, symbol.import_name
    offered = HOST.get(module)
    if offered is None:
        message = f'the host has no module "{module}"'
        hint = did_you_mean(module, HOST)
        raise context.refusal("GST0048", message, py_module, hint)
    if name not in offered:
        message = f'the host has no function "{name}" in {module}'
        hint = did_you_mean(name, offered)
        raise context.refusal("GST0048", message, py_name, hint)
    type_ = import_type(symbol)
    given = f"{_letters(type_.parameters)}->{_letters(type_.results)}"
    if given != offered[name]:
        message = f'"{name}" has another signature: ({given}), not ({offered[name]})'
        hint = "i is an i32, I an i64; see filters/hostcalls.py"
        raise context.refusal("GST0048", message, py_name, hint)


def _letters(types: tuple[ValueType, ...]) -> str:
    return "".join("i" if type_ is ValueType.I32 else "I" for type_ in types)


def _import_names(context: Context, py_decorator: ast.Call) -> tuple[str, str]:
    symbol = None
    if isinstance(py_decorator.func, ast.Name):
        symbol = context.names.get(py_decorator.func.id)
    if not isinstance(symbol, BuiltinSymbol) or symbol.name != "hostcall":
        _mark(context, py_decorator)
    match py_decorator:
        case ast.Call(
            args=[ast.Constant(value=str(module)), ast.Constant(value=str(name))],
            keywords=[],
        ):
            return module, name
        case _:
            message = "a hostcall names the import's module and name"
            hint = 'write @hostcall("env", "proxy_log")'
            raise context.refusal("GST0044", message, py_decorator, hint)


def _require_host_result(
    context: Context, result: Type, py_function: ast.FunctionDef
) -> None:
    """A number comes first; result pointers carry u32, i32, u64, i64 and View."""
    items = result.items if isinstance(result, TupleType) else (result,)
    first, *others = items
    wide = {4, 8}
    is_good = first == NONE or (isinstance(first, IntType) and first.size_bytes in wide)
    for item in others:
        is_word = isinstance(item, IntType) and item.size_bytes in wide
        is_good = is_good and (is_word or item == VIEW)
    if not is_good:
        message = f"a host does not return {result}"
        hint = "a status (u32) first, then u32, i32, u64, i64 or View"
        returns = py_function.returns
        raise context.refusal("GST0044", message, returns or py_function, hint)


_RESULTS: Final = (IntType, TupleType, RecordType)

"""Pass 3: check function bodies, and make typed IR of them.

In: modules and their names. Out: the IR of every function, also of those that nothing
calls. The rules of expressions and statements are in check_*.py; all errors of the
program are reported together.
"""

from __future__ import annotations

from collections.abc import Iterable

from generator.compiler import fold
from generator.compiler.check_expression import check_expression
from generator.compiler.check_statement import check_block
from generator.compiler.collect import Names
from generator.compiler.context import Context
from generator.compiler.ir import (
    Local,
)
from generator.compiler.ir_statements import (
    FunctionIR,
)
from generator.compiler.scope import FunctionScope, count_stores
from generator.compiler.symbols import FunctionSymbol
from generator.compiler.types import NONE
from generator.errors import CompileError, Diagnostic


def check_functions(program: Iterable[Names]) -> list[FunctionIR]:
    """Check all functions of a program."""
    functions: list[FunctionIR] = []
    errors: list[Diagnostic] = []
    for names in program:
        for symbol in names.functions:
            scope = FunctionScope(count_stores(symbol.py_node), symbol.result)
            context = Context(names.module, names.names, check_expression, scope)
            functions.append(_check_function(context, scope, symbol))
            errors.extend(scope.errors)
    if errors:
        raise CompileError(errors)
    return functions


def _check_function(
    context: Context, scope: FunctionScope, symbol: FunctionSymbol
) -> FunctionIR:
    parameters = tuple(
        Local(name, type_, fold.range_of(type_)) for name, type_ in symbol.parameters
    )
    for parameter in parameters:
        scope.locals[parameter.name] = parameter
        scope.mark_assigned(parameter.name)
    try:
        body = check_block(context, symbol.py_node.body)
    except RecursionError as error:
        message = f'"{symbol.name}" is nested too deeply'
        raise context.refusal("GST0047", message, symbol.py_node) from error
    if symbol.result != NONE and not scope.is_unreachable and not scope.errors:
        message = f'"{symbol.name}" can end without returning {symbol.result}'
        diagnostic = context.module.diagnostic("GST0031", message, symbol.py_node)
        scope.errors.append(diagnostic)
    return FunctionIR(symbol, parameters, symbol.result, body)

"""The table of expressions: which syntax is in the language, and what is not."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.compiler.check_access import (
    check_attribute,
    check_constant,
    check_name,
    check_subscript,
)
from generator.compiler.check_arithmetic import (
    check_binary,
    check_choice,
    check_compare,
    check_logic,
    check_unary,
)
from generator.compiler.check_call import check_call
from generator.compiler.context import Context
from generator.compiler.ir import (
    Expr,
)

EXPRESSIONS: Final[Mapping[type[ast.expr], Callable[[Context, Any], Expr]]] = {
    ast.Constant: check_constant,
    ast.Name: check_name,
    ast.Attribute: check_attribute,
    ast.Subscript: check_subscript,
    ast.BinOp: check_binary,
    ast.UnaryOp: check_unary,
    ast.BoolOp: check_logic,
    ast.Compare: check_compare,
    ast.IfExp: check_choice,
    ast.Call: check_call,
}

REFUSED: Final[Mapping[type[ast.expr], tuple[str, str]]] = {
    ast.Tuple: ("a tuple", "tuples are only returned, and taken apart at once"),
    ast.List: ("a list", "use a Buffer, a Words or a constant tuple"),
    ast.Dict: ("a dict", "use a Pool of records"),
    ast.Set: ("a set", "use a Words as a bit set"),
    ast.ListComp: ("a comprehension", "write a for loop over range(...)"),
    ast.SetComp: ("a comprehension", "write a for loop over range(...)"),
    ast.DictComp: ("a comprehension", "write a for loop over range(...)"),
    ast.GeneratorExp: ("a generator", "write a for loop over range(...)"),
    ast.Lambda: ("a lambda", "write a function"),
    ast.NamedExpr: ("an assignment inside an expression", "assign before"),
    ast.Await: ("await", ""),
    ast.Yield: ("yield", ""),
    ast.YieldFrom: ("yield", ""),
    ast.JoinedStr: ("an f-string", "write the parts to a Buffer"),
    ast.Starred: ("unpacking with *", "name each part"),
}


def check_expression(context: Context, py_expr: ast.expr) -> Expr:
    """Check an expression; see `Context.check`."""
    check = EXPRESSIONS.get(type(py_expr))
    if check is None:
        default = (type(py_expr).__name__, "")
        what, hint = REFUSED.get(type(py_expr), default)
        raise context.refusal(
            "GST0011", f"{what} is not guest Python here", py_expr, hint
        )
    return check(context, py_expr)

"""Pass 2: what every module-level name means.

In: modules, imported ones first. Out: for each module its names. Module-level code is
read top to bottom, as Python runs it; nothing is executed. Function bodies are left
to the next pass.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generator.compiler.check_expression import check_expression
from generator.compiler.collect_class import collect_class
from generator.compiler.collect_function import collect_function
from generator.compiler.collect_value import collect_annotated, collect_assigned
from generator.compiler.context import Context
from generator.compiler.intrinsics import PYTHON_BUILTINS, STANDARD_IMPORTS
from generator.compiler.source_module import Located, SourceModule, did_you_mean
from generator.compiler.symbols import (
    BuiltinSymbol,
    FunctionSymbol,
    GlobalSymbol,
    Symbol,
)
from generator.errors import CompileError, Diagnostic


@dataclass(slots=True)
class Names:
    """The names of one module. `own` are those that it defines itself.

    `refused` are those whose definition was refused: what uses them is not reported
    again.
    """

    module: SourceModule
    names: dict[str, Symbol]
    own: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    @property
    def functions(self) -> list[FunctionSymbol]:
        """The functions that this module defines, in source order."""
        symbols = [s for name, s in self.names.items() if name in self.own]
        return [s for s in symbols if isinstance(s, FunctionSymbol)]


def collect_symbols(
    modules: Sequence[SourceModule], overrides: Mapping[str, int]
) -> dict[str, Names]:
    """Return the names of every module by module name."""
    program: dict[str, Names] = {}
    errors: list[Diagnostic] = []
    unused = dict(overrides)
    for module in modules:
        names = _new_names(module)
        program[module.name] = names
        context = Context(module, names.names, check_expression)
        for py_statement in module.tree.body:
            try:
                _Collector(program, names, context, unused).collect(py_statement)
            except CompileError as error:
                if not names.refused & _mentioned(py_statement):
                    errors.extend(error.diagnostics)
                names.refused |= _defined(py_statement)
    errors += [_unknown_override(name) for name in unused]
    if errors:
        raise CompileError(errors)
    return program


def _new_names(module: SourceModule) -> Names:
    builtins = {name: BuiltinSymbol(name) for name in sorted(PYTHON_BUILTINS)}
    return Names(module, dict(builtins))


def _mentioned(py_statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(py_statement) if isinstance(n, ast.Name)}


def _defined(py_statement: ast.stmt) -> set[str]:
    """Return the names that a statement would have defined."""
    match py_statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name for alias in aliases}
        case _:
            nodes = ast.walk(py_statement)
            return {n.id for n in nodes if isinstance(n, ast.Name)}


def _unknown_override(name: str) -> Diagnostic:
    message = f'there is no integer constant "{name}" to override'
    return Diagnostic("GST0015", message, hint="name it MODULE.NAME, a `Final` int")


@dataclass(frozen=True, slots=True)
class _Collector:
    program: Mapping[str, Names]
    names: Names
    context: Context
    unused_overrides: dict[str, int]

    def collect(self, py_statement: ast.stmt) -> None:
        match py_statement:
            case ast.ImportFrom():
                self._import(py_statement)
            case ast.FunctionDef():
                function = collect_function(self.context, py_statement)
                self._define(py_statement.name, function, py_statement)
            case ast.ClassDef():
                class_ = collect_class(self.context, py_statement)
                self._define(py_statement.name, class_, py_statement)
            case ast.AnnAssign(target=ast.Name(id=name) as py_target):
                override = self._override(name)
                value = collect_annotated(self.context, py_statement, override)
                self._define(name, value, py_target)
            case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.Pass():
                pass
            case ast.Assign(targets=[ast.Name(id=name) as py_target]):
                value = collect_assigned(self.context, name, py_statement.value)
                self._define(name, value, py_target)
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                message = "this cannot stand at module level"
                raise self.context.refusal("GST0012", message, py_statement)

    def _override(self, name: str) -> int | None:
        return self.unused_overrides.pop(f"{self.names.module.name}.{name}", None)

    def _define(self, name: str, symbol: Symbol, node: Located) -> None:
        if name in self.names.names:
            message = f'"{name}" is already defined in this module'
            raise self.context.refusal("GST0018", message, node)
        self.names.names[name] = symbol
        if not isinstance(node, ast.alias):
            self.names.own.add(name)

    def _import(self, py_import: ast.ImportFrom) -> None:
        module = py_import.module or ""
        for alias in py_import.names:
            symbol = self._imported(module, alias)
            if symbol is not None:
                self._define(alias.asname or alias.name, symbol, alias)

    def _imported(self, module: str, alias: ast.alias) -> Symbol | None:
        known: Mapping[str, Symbol]
        if module == "__future__":
            return None
        if module in STANDARD_IMPORTS:
            known = {name: BuiltinSymbol(name) for name in STANDARD_IMPORTS[module]}
        else:
            names = self.program[module]
            known = {name: names.names[name] for name in names.own}
            if alias.name in names.refused:
                self.names.refused.add(alias.asname or alias.name)
                return None
        symbol = known.get(alias.name)
        if symbol is None:
            message = f'"{alias.name}" is not in {module}'
            hint = did_you_mean(alias.name, known)
            raise self.context.refusal("GST0003", message, alias, hint)
        if isinstance(symbol, GlobalSymbol):
            message = f'"{alias.name}" changes, and an import would copy its value'
            raise self.context.refusal("GST0004", message, alias)
        return symbol

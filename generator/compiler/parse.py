"""Pass 1: read the guest program, the entry file and all that it imports.

What CPython would not compile is refused first, in CPython's words (`break` outside a
loop, a name used before its `global`): all further passes may rely on that.

Out: one `SourceModule` per file, imported modules before those that import them.
`filters.*` is the package beside `generator`; other names are files beside the entry
file. Guest code is text here and is never imported. Modules of
`intrinsics.STANDARD_IMPORTS` are not read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from generator.compiler.intrinsics import STANDARD_IMPORTS
from generator.compiler.source_module import SourceModule
from generator.errors import CompileError, Diagnostic
from generator.source import Position, SourceFile

PACKAGE_NAME: Final = "filters"
PACKAGE: Final = Path(__file__).resolve().parents[2] / PACKAGE_NAME


def parse_program(entry: Path) -> list[SourceModule]:
    """Read a program; raise `CompileError` for what cannot be read."""
    loader = _Loader(entry)
    loader.load(module_name(entry), entry)
    return list(loader.modules.values())


def module_name(path: Path) -> str:
    """Return the dotted name of a guest file: `filters.pep`, or just its own name."""
    resolved = path.resolve()
    if resolved.is_relative_to(PACKAGE):
        parts = resolved.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts)
    return path.stem


@dataclass(slots=True)
class _Loader:
    """Depth-first walk over imports. `modules` is in the order of the pass's result."""

    entry: Path
    modules: dict[str, SourceModule] = field(default_factory=dict)
    loading: list[str] = field(default_factory=list)

    def load(self, name: str, path: Path) -> None:
        module = read_module(name, path)
        self.loading.append(name)
        for imported in _imports(module):
            self._load_import(module, imported)
        self.loading.pop()
        self.modules[name] = module

    def _load_import(self, module: SourceModule, py_import: ast.ImportFrom) -> None:
        name = py_import.module or ""
        if name in STANDARD_IMPORTS or name in self.modules:
            return
        if name in self.loading:
            chain = " -> ".join([*self.loading[self.loading.index(name) :], name])
            raise module.refusal(
                "GST0005", f"modules import each other: {chain}", py_import
            )
        path = self._path(name)
        if not path.is_file():
            raise module.refusal(
                "GST0003", f'there is no guest module "{name}"', py_import
            )
        self.load(name, path)

    def _path(self, name: str) -> Path:
        parts = name.split(".")
        if parts[0] == PACKAGE_NAME:
            return PACKAGE.joinpath(*parts[1:]).with_suffix(".py")
        return self.entry.parent.joinpath(*parts).with_suffix(".py")


def _imports(module: SourceModule) -> Iterator[ast.ImportFrom]:
    for statement in module.tree.body:
        if isinstance(statement, ast.Import):
            raise _refuse_import(module, statement)
        if isinstance(statement, ast.ImportFrom):
            if statement.level or statement.module == PACKAGE_NAME:
                raise _refuse_import(module, statement)
            if any(alias.name == "*" for alias in statement.names):
                raise _refuse_import(module, statement)
            yield statement


def _refuse_import(module: SourceModule, statement: ast.stmt) -> CompileError:
    return module.refusal(
        "GST0002", "this form of import is not guest Python", statement
    )


def read_module(name: str, path: Path) -> SourceModule:
    """Read and parse one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {path}: {error}"
        raise CompileError([Diagnostic("GST0001", message)]) from error
    source = SourceFile(_display(path), text)
    try:
        tree = ast.parse(text, str(path))
        compile(tree, str(path), "exec", dont_inherit=True)  # finds what `ast` does not
        return SourceModule(name, path, source, tree)
    except SyntaxError as error:
        raise _syntax_error(source, error) from error
    except (RecursionError, MemoryError, ValueError) as error:
        message = f"Python cannot parse {path}: {error}"
        raise CompileError([Diagnostic("GST0001", message)]) from error


def _display(path: Path) -> str:
    """Return the path as a person in the current folder would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _syntax_error(source: SourceFile, error: SyntaxError) -> CompileError:
    line = (error.lineno or 1) - 1
    column = max(0, (error.offset or 1) - 1)
    start = Position(line, column)
    span = source.span(start, Position(line, column + 1))
    return CompileError([Diagnostic("GST0001", f"not Python: {error.msg}", span)])

"""A guest source file with its syntax tree, and errors that point into it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from generator.errors import CompileError, Diagnostic, Note
from generator.source import Position, SourceFile, Span

Definition = ast.FunctionDef | ast.ClassDef
Located = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias


@dataclass(frozen=True, slots=True)
class SourceModule:
    """One file of the guest program. `name` is its dotted module name."""

    name: str
    path: Path
    source: SourceFile
    tree: ast.Module

    def span(self, node: Located) -> Span:
        """Return the place of a node; of a definition, the place of its name."""
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return self._name_span(node)
        start = self._position(node.lineno, node.col_offset)
        end = self._position(
            node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        )
        return self.source.span(start, end)

    def _position(self, line: int, byte_offset: int) -> Position:
        column = self.source.column_of_byte(line - 1, byte_offset)
        return Position(line - 1, column)

    def _name_span(self, node: Definition) -> Span:
        start = self._position(node.lineno, node.col_offset)
        text = self.source.line(start.line)
        column = text.index(node.name, start.column + len("def"))
        return self.source.span(
            Position(start.line, column), Position(start.line, column + len(node.name))
        )

    def diagnostic(
        self,
        code: str,
        message: str,
        node: Located,
        hint: str = "",
        notes: tuple[Note, ...] = (),
    ) -> Diagnostic:
        return Diagnostic(code, message, self.span(node), hint, notes)

    def refusal(
        self,
        code: str,
        message: str,
        node: Located,
        hint: str = "",
        notes: tuple[Note, ...] = (),
    ) -> CompileError:
        """Return the error to raise because of `node`."""
        return CompileError([self.diagnostic(code, message, node, hint, notes)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f'did you mean "{near[0]}"?' if near else ""

"""Whose problem it is when a question cannot be answered: the asker's."""

from __future__ import annotations

from generator.errors import ToolError


class QuestionError(ToolError):
    """A question, or its output, names what is not there or cannot be."""

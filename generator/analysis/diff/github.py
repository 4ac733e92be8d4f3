"""A difference as workflow commands, which GitHub shows as annotations of files.

A command stands at the rule that decides after the change, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from generator.analysis.diff.changes import Change
from generator.analysis.diff.diff import Difference
from generator.analysis.diff.groups import About, make_sections
from generator.analysis.diff.sentences import headline, what_text, why_lines
from generator.analysis.workflow_commands import workflow_command


def difference_commands(difference: Difference) -> Iterator[str]:
    """Yield a notice with the headline, and a command per group.

    Nothing that only would be is a warning.
    """
    yield workflow_command("notice", None, "pepmesh diff", headline(difference))
    for section in make_sections(difference):
        is_audited = section.about is About.AUDITED
        more = ", if audited policies were enforced" if is_audited else ""
        for group in section.groups:
            change = group.change
            lines = [f"{group.title}: {what_text(change)}", *why_lines(change)]
            yield workflow_command(
                "notice" if is_audited else "warning",
                _place(change),
                f"Access {change.kind}{more}",
                "\n".join(lines),
            )


def _place(change: Change) -> tuple[str, int] | None:
    turns = chain(change.turns, *(example.turns for example in change.examples))
    for turn in turns:
        if turn.after is not None and turn.after.place is not None:
            file, _, line = turn.after.place.rpartition(":")
            return file, int(line)
    return None

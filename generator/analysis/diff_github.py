"""A difference as workflow commands, which GitHub shows as annotations of files.

    ::warning file=policies/cart.yaml,line=9,title=Access gained::shop/web -> ...

A command stands at the rule that decides after the change, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from generator.analysis.diff import Difference
from generator.analysis.diff_changes import Change
from generator.analysis.diff_groups import About, Section, make_sections
from generator.analysis.diff_sentences import headline, what_text, why_lines


def difference_commands(difference: Difference) -> Iterator[str]:
    """Yield a command per group, and a notice with the headline."""
    yield f"::notice title=pepmesh diff::{_data(headline(difference))}"
    for section in make_sections(difference):
        for group in section.groups:
            why = "; ".join(why_lines(group.change))
            text = f"{group.title}: {what_text(group.change)}" + (
                f"\n{why}" if why else ""
            )
            facts = {**_place(group.change), "title": _title(section, group.change)}
            shown = ",".join(f"{k}={_property(v)}" for k, v in facts.items())
            yield f"::{_level(section)} {shown}::{_data(text)}"


def _level(section: Section) -> str:
    """Nothing that only would be is a warning."""
    return "notice" if section.about is About.AUDITED else "warning"


def _title(section: Section, change: Change) -> str:
    title = f"Access {change.kind}"
    if section.about is About.AUDITED:
        return f"{title}, if audited policies were enforced"
    return title


def _place(change: Change) -> dict[str, str]:
    turns = chain(change.turns, *(example.turns for example in change.examples))
    for turn in turns:
        if turn.after is not None and turn.after.place is not None:
            file, _, line = turn.after.place.rpartition(":")
            return {"file": file, "line": line}
    return {}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

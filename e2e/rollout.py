"""New rules for a running Envoy, as a control plane rolls them out, and who notices.

    module -> file named by its digest -> ECDS files moved into place -> Envoy

Envoy takes what an ECDS file says when the file is moved, but reads a module again only
if its name has changed: so a name is never given to other bytes.

`wrong_answers` is what a user asks of a roll-out: every request gets the answer of the
old rules or of the new ones, and whoever had the new ones never has the old again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from e2e.bootstrap import write_filter
from e2e.callers import Answered, Callers
from e2e.envoy import Envoy
from e2e.proxy import Plugin


@dataclass(frozen=True)
class Version:
    """One version of a filter, and how each question is answered under it."""

    plugin: Plugin
    verdicts: Mapping[str, str]

    def changed_from(self, old: Version) -> dict[str, str]:
        """Return the verdicts that differ from an older version's."""
        return {q: v for q, v in self.verdicts.items() if old.verdicts[q] != v}


@dataclass(frozen=True, slots=True)
class Swap:
    """One version in place of another; milliseconds from the moved file.

    `first_ms`: until the first answer by the new rules; `all_ms`: until every question
    whose answer changes had its new one.
    """

    first_ms: float
    all_ms: float
    answers: tuple[Answered, ...]
    wrong: tuple[Answered, ...]


@dataclass
class Rollout:
    """An Envoy that takes its filter from files, and callers that ask all the time."""

    envoy: Envoy
    callers: Callers
    current: Version
    published: int = 1

    def swap(self, new: Version) -> Swap:
        """Roll out a version that changes some verdict; wait until all changed.

        Raises: Timeout.
        """
        old, self.current = self.current, new
        changed = new.changed_from(old)
        plugin = put_module(new.plugin, self.envoy.folder)
        self.published += 1
        start = self.callers.count()
        moved_ns = time.monotonic_ns()
        write_filter(plugin, self.envoy.folder, str(self.published))
        self.callers.wait_for(changed, start)
        answers = self.callers.answers(start)
        by_new = [a for a in answers if changed.get(a.question) == a.verdict]
        first = {a.question: a.answered_ns for a in reversed(by_new)}
        times = [(at_ns - moved_ns) / 1e6 for at_ns in first.values()]
        wrong = tuple(wrong_answers(answers, old, new))
        return Swap(min(times), max(times), tuple(answers), wrong)


def put_module(plugin: Plugin, folder: Path) -> Plugin:
    """Put a plugin's module into a folder under the name that its bytes have."""
    contents = plugin.module.read_bytes()
    digest = hashlib.sha256(contents).hexdigest()
    module = folder / f"{plugin.name}-{digest[:16]}.wasm"
    if not module.exists():
        fresh = module.with_suffix(".new")
        fresh.write_bytes(contents)
        fresh.replace(module)
    return replace(plugin, module=module)


def wrong_answers(
    answers: Sequence[Answered], old: Version, new: Version
) -> Iterator[Answered]:
    """Yield the answers of one swap that are of neither version, or old after new."""
    changed = new.changed_from(old)
    have_new = set()
    for answer in answers:
        question = answer.question
        if answer.verdict == new.verdicts[question]:
            have_new |= {question} & changed.keys()
        elif answer.verdict != old.verdicts[question] or question in have_new:
            yield answer

"""Print what the demo saw: the matrix, the denials with their rules, the attacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from e2e.attacks import Outcome
from e2e.matrix import Observation, Seen
from e2e.mesh import Endpoint
from generator.table.model import RuleTable

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MARKS = {Seen.ALLOWED: ("●", "green"), Seen.DENIED: ("·", "red")}
_WRONG = ("✗", "bold white on red")


def print_matrix(
    console: Console, endpoints: Sequence[Endpoint], seen: Sequence[Observation]
) -> None:
    """Print one row per source, one column per destination, one mark per port."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("workload", no_wrap=True)
    table.add_column("TCP ports", style="dim", no_wrap=True)
    for letter, _ in zip(_LETTERS, endpoints, strict=False):
        table.add_column(letter, no_wrap=True)
    for letter, source in zip(_LETTERS, endpoints, strict=False):
        ports = " ".join(map(str, source.ports))
        cells = [_cell(source, destination, seen) for destination in endpoints]
        table.add_row(letter, source.key, ports, *cells)
    console.print(table)
    wrong = [o for o in seen if not o.is_as_expected]
    allowed = sum(o.is_expected_allowed for o in seen)
    console.print(
        f"● allowed {allowed}   · denied {len(seen) - allowed}   "
        f"✗ not what policy says {len(wrong)}   (one mark per port, row asks column)"
    )
    for observation in wrong:
        console.print(f"  ✗ {_describe(observation)}", style="bold red")


def print_denials(
    console: Console, seen: Sequence[Observation], table_of_rules: RuleTable
) -> None:
    """Print, for every rule that denied something, how often and an example."""
    rules = range(len(table_of_rules.rules))
    places = {table_of_rules.rule_name(r): table_of_rules.rule_place(r) for r in rules}
    denied = [o for o in seen if o.denial is not None]
    counts = Counter(_why(o) for o in denied)
    examples: dict[tuple[str, str], Observation] = {}
    for observation in denied:
        examples.setdefault(_why(observation), observation)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("denied", justify="right")
    table.add_column("by rule, from the access log; written at", overflow="fold")
    table.add_column("for example")
    for why, count in counts.most_common():
        question = examples[why].question
        table.add_row(
            str(count),
            f"{why[1] or why[0]}\n  {places.get(why[1], '')}",
            f"{question.source.key} → {question.destination.key}"
            f":{question.name.endpoint_port}",
        )
    console.print(table)


def print_attacks(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print every attempt straight at a pod, and what it met."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("a request straight to a pod")
    table.add_column("answer")
    table.add_column("reason, from the access log")
    for outcome in outcomes:
        style = "" if outcome.is_as_expected else _WRONG[1]
        expected = outcome.attack.reason or "let through"
        reason = outcome.reason or "let through"
        note = "" if outcome.is_as_expected else f" (expected: {expected})"
        table.add_row(
            outcome.attack.title, str(outcome.answer.code), reason + note, style=style
        )
    console.print(table)


def _cell(source: Endpoint, destination: Endpoint, seen: Sequence[Observation]) -> Text:
    cell = Text()
    if source is destination:
        return Text("-" * len(source.ports), style="dim")
    for o in seen:
        if o.question.source is source and o.question.destination is destination:
            mark, style = _MARKS[o.seen] if o.is_as_expected else _WRONG
            cell.append(mark, style)
    return cell


def _why(observation: Observation) -> tuple[str, str]:
    assert observation.denial is not None
    reason = observation.denial.details.removeprefix("pepmesh_").partition(":")[0]
    return reason, observation.denial.rule


def _describe(observation: Observation) -> str:
    question = observation.question
    expected = "allowed" if observation.is_expected_allowed else "denied"
    answer = observation.answer
    return (
        f"{question.source.key} → {question.name.authority}: expected {expected}, "
        f"saw {answer.code} {answer.body[:80]!r}"
    )

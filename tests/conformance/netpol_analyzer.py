"""netpol-analyzer: connectivity of folders, changes between folders, refusals.

Everything is compared completely: all pairs, protocols, ports, and ranges of addresses
outside. The tables of this file say which answers differ, and by which text of the API
they are meant to. A stated convention is proved to be the only difference, by applying
it; a listed difference that is gone fails too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from generator.errors import Diagnostic
from generator.policy.load import Loaded, LoadError, load_model
from generator.policy.model import Model
from generator.policy.oracle_connections import Connection
from generator.policy.ties import find_ties
from tests.conformance.judges import JUDGES, difference
from tests.conformance.result import Outcome, Result, relative
from tests.support.connlist import ANALYZER, canonical, parse_connlist, parse_line

CONNLIST: Final = "netpol-analyzer connlist"
DIFF: Final = "netpol-analyzer diff"
REFUSED: Final = "netpol-analyzer must refuse"

HOST_NETWORK: Final = (
    "all pods are hostNetwork, which the tool does not look at (SOURCES.md, convention "
    '4). API: a plugin may be one that "ignores hostNetwork pods when matching '
    'podSelector and namespaceSelector" (NetworkPolicy, "the most common '
    'implementation"); of CNP: host-networked pods are not selected. Agrees once the '
    "manifests say hostNetwork: false"
)
CONVENTIONS: Final = {
    "semanticDiff-same-topologies-new1": HOST_NETWORK,
    "semanticDiff-same-topologies-old1": HOST_NETWORK,
}

# Of each refused case: the code, and what its message says. "": accepted on purpose.
REFUSALS: Final = {
    "bad_netpols/subdir3": ("POL0011", ""),
    "bad_netpols/subdir4": ("POL0011", ""),
    "bad_netpols/subdir6": ("", ""),
    "np_bad_path_test_1": ("POL0014", ""),
    "np_bad_path_test_2": ("POL0007", ""),
    "np_test_with_empty_port_range": ("POL0007", ""),
    "anp_bad_path_test_1": ("POL0041", "priority"),
    "anp_bad_path_test_2": ("POL0032", "1001"),
    "anp_bad_path_test_4": ("INP0008", "spec.subject is missing"),
    "anp_bad_path_test_6": ("INP0008", "spec.egress[0].to is missing"),
    "anp_bad_path_test_8": ("POL0038", "namedPort and portNumber"),
    "anp_bad_path_test_9": ("POL0030", 'unknown action "Accept"'),
    "anp_bad_path_test_14": ("INP0008", "spec.ingress[0].from is missing"),
    "anp_bad_path_test_19": ("POL0009", "zc00::/8"),
    "banp_bad_path_test_1": ("POL0014", '"default" is there twice'),
    "banp_bad_path_test_2": ("POL0042", "banp-name"),
    "banp_bad_path_test_3": ("INP0008", "spec.subject is missing"),
    "banp_bad_path_test_8": ("POL0030", 'unknown action "Pass"'),
}
ACCEPTED: Final = {
    "bad_netpols/subdir6": (
        "the tool refuses a named port beside an ipBlock. API: a port is "
        '"a numerical or named port on a pod", and validation does not forbid it; the '
        "rule matches no address. Accepted with the warnings POL0016 and POL0020"
    ),
}
ACCEPTED_WARNINGS: Final = ["POL0016", "POL0020"]

_DIFF_FILE: Final = re.compile(r"diff_between_(.+)_and_(.+)\.txt")
_CHANGE: Final = re.compile(
    r"diff-type: \w+, source: (.+)\[\w+\], destination: (.+)\[\w+\], "
    r"ref1: (.+), ref2: (.+)"
)
_REFUSED_ROW: Final = re.compile(r"^\| (\w+(?:/\w+)?) \| (?!why)(.+) \|$", re.MULTILINE)


def load_case(case: str) -> Loaded:
    return load_model([str(ANALYZER / "tests" / case)], recursive=True)


def jobs() -> list[str]:
    """Name all jobs: a case, two cases with what changes between them, a refusal."""
    paired = {case for pair in _pairs().values() for case in pair}
    single = set(expected_cases()) - paired
    return [*sorted(_pairs()), *sorted(single), *refused_rows()]


def refused_rows() -> list[str]:
    """Return the cases of the table in SOURCES.md that must be refused."""
    return [m[1] for m in _REFUSED_ROW.finditer((ANALYZER / "SOURCES.md").read_text())]


def run(job: str, judge: str) -> Iterator[Result]:
    pairs = _pairs()
    if job in pairs:
        for case in pairs[job]:
            yield from _connlist_results(case, judge)
        yield _diff_result(job, *pairs[job], judge)
    elif job in REFUSALS:
        yield _refused_result(job)
    elif (ANALYZER / "tests" / job).is_dir() and job not in refused_rows():
        yield from _connlist_results(job, judge)
    else:
        reason = "the table of SOURCES.md has a case that is not in REFUSALS"
        yield Result(REFUSED, job, Outcome.FAILED, reason)


# --- connectivity ---------------------------------------------------------------------


def expected_cases() -> list[str]:
    """Return the cases with an expected connectivity."""
    return sorted({case for _, case in map(_expected_case, _connlist_files())})


def _connlist_files() -> list[Path]:
    return sorted((ANALYZER / "test_outputs" / "connlist").iterdir())


def _expected_case(path: Path) -> tuple[Path, str]:
    return path, re.sub(r"_(connlist|exposure)_output\.txt$", "", path.name)


def _connlist_results(case: str, judge: str) -> Iterator[Result]:
    loaded = load_case(case)
    for path, expected_case in map(_expected_case, _connlist_files()):
        if expected_case != case:
            continue
        expected = parse_connlist(path.read_text())
        said = difference(_flows(case, judge), expected)
        outcome, reason = Outcome.AGREES, ""
        if case in CONVENTIONS:
            outcome, reason = Outcome.DIFFERS, CONVENTIONS[case]
            if not said or difference(_flows(case, judge, True), expected):
                outcome, reason = Outcome.FAILED, f"not the only difference: {said}"
        elif said:
            outcome, reason = Outcome.FAILED, said
        files = *map(relative, loaded.sources), relative(path)
        yield Result(CONNLIST, path.name, outcome, reason, files=files)


@cache
def _flows(case: str, judge: str, by_their_rules: bool = False) -> list[Connection]:
    model = load_case(case).model
    return JUDGES[judge](as_netpol_analyzer(model) if by_their_rules else model).flows()


def as_netpol_analyzer(model: Model) -> Model:
    """Apply its conventions to the inventory: no host network, no pod addresses."""
    members = (
        replace(member, host_network=False, addresses=()) for member in model.members
    )
    return replace(model, members=tuple(members))


# --- changes --------------------------------------------------------------------------


@cache
def _pairs() -> dict[str, tuple[str, str]]:
    """Return the cases before and after a change, by the name of its file."""
    found = {}
    for path in sorted((ANALYZER / "test_outputs" / "diff").iterdir()):
        match = _DIFF_FILE.fullmatch(path.name)
        assert match, path
        found[path.name] = (match[2], match[1])
    return found


def _diff_result(name: str, before: str, after: str, judge: str) -> Result:
    path = ANALYZER / "test_outputs" / "diff" / name
    changes = [match.groups() for match in _CHANGE.finditer(path.read_text())]
    changed = {(source, destination) for source, destination, _, _ in changes}
    said, unchanged = [], []
    for case, side in ((before, 2), (after, 3)):
        found = _flows(case, judge, True)
        expected = [c for row in changes for c in parse_line(row[0], row[1], row[side])]
        mine = [c for c in found if (c["source"], c["destination"]) in changed]
        said.append(difference(mine, canonical(expected)))
        unchanged.append([c for c in found if c not in mine])
    if unchanged[0] != unchanged[1]:
        said.append(f"more changes: {difference(unchanged[1], unchanged[0])}")
    if not changed:
        said.append("the expected file has no change")
    reason = "; ".join(filter(None, said))
    sources = [*load_case(before).sources, *load_case(after).sources]
    files = *map(relative, sources), relative(path)
    outcome = Outcome.FAILED if reason else Outcome.AGREES
    return Result(DIFF, name, outcome, reason, files=files)


# --- refusals -------------------------------------------------------------------------


def _refused_result(case: str) -> Result:
    """What the command line refuses: by loading, or for a tie."""
    code, message = REFUSALS[case]
    try:
        loaded = load_case(case)
    except LoadError as error:
        found, files = error.diagnostics, tuple(map(relative, error.sources))
    else:
        found = (*loaded.diagnostics, *find_ties(loaded.model))
        files = tuple(map(relative, loaded.sources))
    outcome, reason = _judge_refusal(case, code, message, found)
    files = *files, relative(ANALYZER / "SOURCES.md")
    return Result(REFUSED, case, outcome, reason, files=files)


def _judge_refusal(
    case: str, code: str, message: str, found: tuple[Diagnostic, ...]
) -> tuple[Outcome, str]:
    errors = [d for d in found if d.severity == "error"]
    if case in ACCEPTED:
        if errors or [d.code for d in found] != ACCEPTED_WARNINGS:
            return Outcome.FAILED, f"found {[d.code for d in found]}"
        return Outcome.DIFFERS, ACCEPTED[case]
    if [error.code for error in errors] != [code]:
        return Outcome.FAILED, f"expected {code}, found {[d.code for d in errors]}"
    if message not in errors[0].message or errors[0].span is None:
        return Outcome.FAILED, f"not located, or other words: {errors[0].message}"
    return Outcome.AGREES, ""

"""Automata over segments, against patterns that are tried one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import TableError
from generator.policy.model import PathKind, PathMatch
from generator.table.automaton import ANY_PATH, Pattern, build_automaton, pattern_of
from generator.table.model import PathState


def exact(path: str) -> Pattern:
    return pattern_of(PathMatch(PathKind.EXACT, path))


def prefix(path: str) -> Pattern:
    return pattern_of(PathMatch(PathKind.PREFIX, path))


def template(path: str) -> Pattern:
    return pattern_of(PathMatch(PathKind.TEMPLATE, path))


def accepted(states: tuple[PathState, ...], path: str) -> tuple[int, ...]:
    """Walk an automaton as the filter does."""
    state = states[0]
    for segment in path[1:].split("/"):
        after = dict(state.edges).get(segment, state.default)
        if after is None:
            return ()
        state = states[after]
    return state.accepts


def holds(pattern: PathMatch, path: str) -> bool:
    """Compare a pattern with a path, the slow way."""
    segments = path[1:].split("/")
    wanted = pattern.pattern[1:].split("/")
    if pattern.kind is PathKind.EXACT:
        return path == pattern.pattern
    if pattern.kind is PathKind.PREFIX:
        stem = pattern.pattern.rstrip("/")
        return path == stem or path.startswith(stem + "/")
    if wanted[-1] == "{**}":
        if len(segments) < len(wanted):
            return False
        segments, wanted = segments[: len(wanted) - 1], wanted[:-1]
    if len(segments) != len(wanted):
        return False
    pairs = zip(segments, wanted, strict=True)
    return all(a == b or (b == "{*}" and a != "") for a, b in pairs)


# --- one pattern ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (exact("/"), ["/"], ["/a", "/a/"]),
        (exact("/a"), ["/a"], ["/", "/a/", "/A", "/ab", "/a/b"]),
        (exact("/a/"), ["/a/"], ["/a", "/a/b"]),
        # What looks like a template is text, where it is not one.
        (exact("/{*}"), ["/{*}"], ["/a"]),
        (prefix("/{**}"), ["/{**}", "/{**}/a"], ["/a"]),
        (prefix("/"), ["/", "/a", "/a/b/"], []),
        (prefix("/a"), ["/a", "/a/", "/a/b", "/a/b/"], ["/", "/ab", "/b/a"]),
        (prefix("/a/"), ["/a", "/a/", "/a/b"], ["/", "/ab"]),
        (template("/a/{*}/c"), ["/a/b/c", "/a/c/c"], ["/a//c", "/a/c", "/a/b/c/"]),
        (template("/a/{*}"), ["/a/b"], ["/a", "/a/", "/a/b/", "/a/b/c"]),
        (template("/a/{**}"), ["/a/", "/a/b", "/a/b/c/"], ["/a", "/b/"]),
        (template("/{**}"), ["/", "/a", "/a/b"], []),
        (template("/{*}/{**}"), ["/a/", "/a/b"], ["/", "/a"]),
        (ANY_PATH, ["/", "/a", "/a/b/"], []),
    ],
)
def test_a_pattern_holds(pattern: Pattern, yes: list[str], no: list[str]) -> None:
    states = build_automaton([pattern])
    assert [path for path in yes if accepted(states, path) != (0,)] == []
    assert [path for path in no if accepted(states, path) != ()] == []


# --- many ----------------------------------------------------------------------------

SEGMENTS = st.sampled_from(["a", "b", "c", "{*}"])
KINDS = st.sampled_from(PathKind)


@st.composite
def path_matches(draw: st.DrawFn) -> PathMatch:
    kind = draw(KINDS)
    segments = draw(st.lists(SEGMENTS, max_size=3))
    last = ["", "{**}"] if kind is PathKind.TEMPLATE else [""]
    segments += [draw(st.sampled_from(last))] if draw(st.booleans()) else []
    return PathMatch(kind, "/" + "/".join(segments))


PATHS = st.lists(st.sampled_from(["a", "b", "{*}", "z"]), max_size=4).flatmap(
    lambda segments: st.sampled_from(
        ["/" + "/".join(segments), "/" + "/".join([*segments, ""])]
    )
)


@given(st.lists(path_matches(), min_size=1, max_size=8), st.lists(PATHS, max_size=20))
def test_all_patterns_that_hold_are_accepted(
    patterns: list[PathMatch], paths: list[str]
) -> None:
    states = build_automaton([pattern_of(pattern) for pattern in patterns])
    for path in paths:
        expected = [n for n, one in enumerate(patterns) if holds(one, path)]
        assert list(accepted(states, path)) == expected, path


def test_the_size_grows_with_the_patterns() -> None:
    """Paths that share nothing need a state per segment, and no more."""
    patterns = [exact(f"/api/v1/items-{number}/all") for number in range(500)]
    states = build_automaton(patterns)
    assert len(states) == 1 + 2 + 2 * 500
    assert accepted(states, "/api/v1/items-77/all") == (77,)


def test_patterns_that_multiply_are_refused() -> None:
    patterns = [
        template("/" + "/".join("{*}" if n != at else f"s{at}" for n in range(16)))
        for at in range(16)
    ]
    with pytest.raises(TableError, match="TBL0004"):
        build_automaton(patterns)

"""Path patterns, read back from automata: in short, and meaning the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.analysis.path_patterns import MOST, patterns_of
from generator.policy.model import HttpMatch, PathKind, PathMatch
from generator.table.chains import Chains
from generator.table.model import Chain


def chain_of(*alternatives: tuple[PathMatch, ...]) -> Chain:
    chains = Chains({0: tuple(HttpMatch(paths=paths) for paths in alternatives)})
    chains.port_range(0, 1, [0])
    return chains.made[0]


def exact(path: str) -> PathMatch:
    return PathMatch(PathKind.EXACT, path)


def prefix(path: str) -> PathMatch:
    return PathMatch(PathKind.PREFIX, path)


def template(path: str) -> PathMatch:
    return PathMatch(PathKind.TEMPLATE, path)


@pytest.mark.parametrize(
    "paths, expected",
    [
        ((exact("/"),), ["/"]),
        ((exact("/cart"),), ["/cart"]),
        ((exact("/cart/"),), ["/cart/"]),
        ((prefix("/"),), ["/..."]),
        ((prefix("/cart"),), ["/cart/..."]),
        ((prefix("/cart/"),), ["/cart/..."]),
        ((template("/cart/{*}"),), ["/cart/{*}"]),
        ((template("/{*}/items"),), ["/{*}/items"]),
        ((template("/s/{**}"),), ["/s/{**}"]),
        ((template("/{*}/s/{**}"),), ["/{*}/s/{**}"]),
        ((exact("/b"), exact("/a")), ["/a", "/b"]),
        # What another pattern covers is left out.
        ((template("/cart/{*}"), exact("/cart/new")), ["/cart/{*}"]),
        ((prefix("/cart"), template("/cart/{*}/x")), ["/cart/..."]),
        # `{*}` is not empty, so `/cart/` is not covered; by `{**}` it is.
        ((template("/cart/{*}"), exact("/cart/")), ["/cart/", "/cart/{*}"]),
        ((template("/cart/{**}"), exact("/cart/")), ["/cart/{**}"]),
        ((template("/cart/{**}"), exact("/cart")), ["/cart/..."]),
    ],
)
def test_patterns_come_back(paths: tuple[PathMatch, ...], expected: list[str]) -> None:
    assert patterns_of(chain_of(paths), 0) == expected


def test_alternatives_are_told_apart() -> None:
    """They share one automaton, whose states mix their patterns."""
    paths = (template("/cart/{*}"),), (exact("/cart/new"),), (prefix("/cart/new"),)
    chain = chain_of(*paths)
    found = [patterns_of(chain, number) for number in range(3)]
    assert found == [["/cart/{*}"], ["/cart/new"], ["/cart/new/..."]]


def test_many_patterns_are_cut() -> None:
    found = patterns_of(chain_of(tuple(exact(f"/{n}") for n in range(MOST + 3))), 0)
    assert (len(found), found[-1]) == (MOST + 1, "...")


SEGMENTS = st.sampled_from(["a", "b", ""])
PATTERNS = st.one_of(
    st.lists(SEGMENTS, min_size=1, max_size=3).map(lambda s: exact("/" + "/".join(s))),
    st.lists(st.sampled_from("ab"), max_size=2).map(
        lambda s: prefix("/" + "/".join(s))
    ),
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "{*}"]), max_size=2),
        st.sampled_from(["a", "{*}", "{**}"]),
    ).map(lambda parts: template("/" + "/".join([*parts[0], parts[1]]))),
)


def parsed(text: str) -> PathMatch:
    """Read a spelt pattern again."""
    if text.endswith("/..."):
        return prefix(text.removesuffix("/...") or "/")
    return template(text) if "{" in text else exact(text)


def accepts(chain: Chain, alternative: int, segments: list[str]) -> bool:
    state: int | None = 0
    for segment in segments:
        if state is None:
            return False
        here = chain.states[state]
        state = dict(here.edges).get(segment, here.default)
    return state is not None and alternative in chain.states[state].accepts


@given(
    st.lists(st.lists(PATTERNS, min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(SEGMENTS, min_size=1, max_size=4),
)
def test_patterns_mean_the_same(
    alternatives: list[list[PathMatch]], segments: list[str]
) -> None:
    chain = chain_of(*map(tuple, alternatives))
    for number in range(len(alternatives)):
        again = chain_of(tuple(map(parsed, patterns_of(chain, number))))
        assert accepts(again, 0, segments) == accepts(chain, number, segments)

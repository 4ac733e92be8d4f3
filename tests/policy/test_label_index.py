"""An index selects whom the selector selects, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generator.policy.label_index import LabelIndex
from generator.policy.model import LabelSelector, Operator, Requirement
from generator.policy.selector import selects

WORDS = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(WORDS, WORDS)
REQUIREMENTS = st.builds(
    Requirement,
    WORDS,
    st.sampled_from(Operator),
    st.lists(WORDS, max_size=2).map(tuple),
)
SELECTORS = st.none() | st.builds(
    LabelSelector, st.lists(REQUIREMENTS, max_size=3).map(tuple)
)


@given(rows=st.lists(LABELS, max_size=6), selector=SELECTORS)
def test_same_as_asking_everybody(
    rows: list[dict[str, str]], selector: LabelSelector | None
) -> None:
    index = LabelIndex((labels, number) for number, labels in enumerate(rows))
    expected = [
        number
        for number, labels in enumerate(rows)
        if selector is None or selects(selector, labels)
    ]
    assert list(index.select(selector)) == expected

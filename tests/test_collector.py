"""The collector is paused where it would find nothing, and comes back."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from generator.collector import collect_and_forget, forget_objects, paused_collector


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    """Other tests run whole commands in this process."""
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.enable()


def test_it_comes_back_also_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), paused_collector():
        assert not gc.isenabled()
        _ = 1 / 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_an_inner_pause_does_not_end_the_outer_one() -> None:
    with paused_collector():
        with paused_collector():
            pass
        assert not gc.isenabled()


def test_what_is_forgotten_is_not_looked_at() -> None:
    made = [[number] for number in range(10)]
    forget_objects()
    assert not any(each is made for each in gc.get_objects())
    gc.unfreeze()
    assert any(each is made for each in gc.get_objects())


def test_garbage_is_collected_before_the_rest_is_forgotten() -> None:
    class Ring:
        """Refers to itself."""

        def __init__(self) -> None:
            self.next = self

    kept = Ring()
    garbage = weakref.ref(Ring())
    collect_and_forget()
    assert garbage() is None
    assert not any(each is kept for each in gc.get_objects())

"""Fixtures of the end-to-end tests: addresses, child processes, scratch folders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.addresses import Addresses, claim_addresses
from e2e.processes import Children, children


@pytest.fixture(scope="session")
def addresses() -> Iterator[Addresses]:
    with claim_addresses() as claimed:
        yield claimed


@pytest.fixture
def family() -> Iterator[Children]:
    with children() as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under e2e starts real Envoys, so all of it carries the marker."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)

"""Fixtures of the end-to-end tests: addresses, child processes, scratch folders."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from e2e.addresses import Addresses, claim_addresses
from e2e.mesh import Mesh
from e2e.processes import Children, children
from e2e.shop_run import Shop, prepared_shop, running_shop


def pytest_sessionstart() -> None:
    """Let Ctrl-C end what tests start, even if this run itself was told to ignore it.

    A shell starts background jobs with SIGINT ignored, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The example shop, built."""
    with prepared_shop(tmp_path_factory.mktemp("shop")) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def mesh(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The example shop, running; tests must leave it as it is.

    Until the module ends: others run parts of the shop at the same addresses.
    """
    with running_shop(shop, tmp_path_factory.mktemp("mesh")) as running:
        yield running

"""The benchmark on a real Envoy, in small: guards guard, and figures have their shape.

No figure is looked at: how long things take is for the benchmark to say.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.addresses import claim_addresses
from e2e.bench import tail_bench
from e2e.bench.load import Client, Unexpected
from e2e.bench.requests_bench import (
    QUICK,
    Effort,
    load_each,
    make_scene,
    measure,
    start_variants,
)
from e2e.bench.requests_report import budgets, plots, tables
from e2e.bench.sidecar import Listener, Place, inbound
from e2e.bench.upstream import place_upstream
from e2e.bench.variants import (
    KINDS,
    SENDER,
    Variant,
    Way,
    kinds_for,
    make_variants,
)
from e2e.bench.ways import paced, steady
from e2e.envoy import Envoy
from e2e.processes import children

pytestmark = pytest.mark.e2e

STRANGER = "127.0.0.2"
BELIEVERS = {"plain", "none", "nothing", "authz-http", "authz-grpc"}
"""Kinds that receive and let everybody in: they look at nothing, or always say yes."""


@contextmanager
def running_variants(folder: Path) -> Iterator[tuple[Envoy, list[Variant]]]:
    with claim_addresses() as addresses, children() as family:
        scene = make_scene(QUICK.rules[0], addresses, family, folder)
        variants = make_variants(kinds_for(is_first=True), scene)
        yield (
            start_variants(family, variants, scene.upstream, folder / "all")[0],
            variants,
        )


def is_allowed(source: str, variant: Variant, request: bytes) -> bool:
    place = variant.place
    with Client(source, place.address, place.port) as client:
        try:
            client.send(request, 1)
        except Unexpected as answer:
            assert "HTTP/1.1 403 " in str(answer), variant.kind.title
            return False
    return True


def test_guards_guard_and_take_turns(tmp_path: Path) -> None:
    with running_variants(tmp_path) as (envoy, variants):
        assert [variant.kind for variant in variants] == list(KINDS)
        for variant in variants:
            name, request = variant.kind.name, variant.request()
            assert is_allowed(SENDER, variant, request), name
            if variant.kind.way is Way.RECEIVED:
                is_believing = name in BELIEVERS
                assert is_allowed(STRANGER, variant, request) == is_believing, name
            if name.endswith("-http") and name != "authz-http":
                other = request.replace(b"/api/v1/orders/", b"/api/v1/orders-of-all/")
                assert other != request
                assert not is_allowed(SENDER, variant, other), name
        for way in (steady(envoy, variants, 2, 16), paced(envoy, variants, 1, 50)):
            assert list(way) == [kind.name for kind in KINDS]


def test_what_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    with claim_addresses() as addresses, children() as family:
        upstream = place_upstream(addresses)
        upstream.start(family, tmp_path)
        place = Place(addresses.pod(1), 8443)
        broken: tuple[Listener, ...] = (inbound(place, ({"name": "nobody"},), ()),)
        variant = Variant(KINDS[0], place, bytes, broken, ())
        found, quick, slow = load_each([variant], upstream, tmp_path)
    assert quick == slow == []
    assert "nobody" in found[KINDS[0].name]["refused"]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_record_can_be_told() -> None:
    record = measure(Effort((10,), 2, 1, 1, 16, 50))
    assert list(record["blocks"][0]["kinds"]) == [kind.name for kind in KINDS]
    assert [len(t.rows) > 0 for t in tables(record)] == [True] * 6
    assert len(plots(record)) == 3
    assert len(budgets(record)) == 2


def test_tails_can_be_told() -> None:
    record = tail_bench.measure_turns(10, rounds=1, requests=20)
    (table,) = tail_bench.tables(record)
    assert len(table.rows) == len(tail_bench.MEASURED)
    assert len(tail_bench.budgets(record)) == 1

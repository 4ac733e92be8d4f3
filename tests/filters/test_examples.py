"""The example filters on both back ends."""

from __future__ import annotations

from pathlib import Path

import pytest

import filters.examples
from generator.wasm.host import Host
from generator.wasm.plugin import Plugin
from tests.wasm.both import BACKENDS, load

EXAMPLES = Path(filters.examples.__file__).parent
GET_ROOT = [(b":method", b"GET"), (b":path", b"/")]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def plugin(name: str, backend: str, host: Host) -> Plugin:
    return Plugin(load(EXAMPLES / f"{name}.py", backend, host))


def test_nothing(backend: str) -> None:
    host = Host()
    filter_ = plugin("nothing", backend, host)
    assert filter_.start(b"")
    outcome = filter_.request(GET_ROOT)
    assert outcome.reaches_upstream
    assert outcome.headers_after == tuple(GET_ROOT)
    assert not host.calls


# --- add_header -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configuration", "value"),
    [(b"", b"python"), (b"me", b"me"), (b"x" * 64, b"x" * 64)],
)
def test_add_header(backend: str, configuration: bytes, value: bytes) -> None:
    filter_ = plugin("add_header", backend, Host())
    assert filter_.start(configuration)
    outcome = filter_.request(GET_ROOT, response=[(b":status", b"404")])
    assert outcome.response_after == ((b":status", b"404"), (b"x-filtered-by", value))


@pytest.mark.parametrize("configuration", [b"x" * 65, b"a\nb", b"\xff"])
def test_add_header_refuses(backend: str, configuration: bytes) -> None:
    host = Host()
    assert not plugin("add_header", backend, host).start(configuration)
    assert [line.level for line in host.logs] == [4]


def test_add_header_says_when_it_fails(backend: str) -> None:
    host = Host(failing={"proxy_add_header_map_value": 2})
    filter_ = plugin("add_header", backend, host)
    assert filter_.start(b"")
    assert filter_.request(GET_ROOT).reaches_upstream
    assert host.log_text() == ["the header could not be added"]


# --- count_requests -------------------------------------------------------------------


def test_count_requests(backend: str) -> None:
    host = Host()
    filter_ = plugin("count_requests", backend, host)
    assert filter_.start(b"/cart/items\n/cart\n\n/pay")
    for path in (b"/cart", b"/cart/items", b"/cart/x?y", b"/pay", b"/", b"", b"/car"):
        assert filter_.request([(b":path", path)]).reaches_upstream
    filter_.request([(b":method", b"CONNECT")])
    assert host.metrics == {
        b"requests_total./cart/items": 1,
        b"requests_total./cart": 2,
        b"requests_total./pay": 1,
        b"requests_total.other": 4,
    }


def test_count_requests_without_prefixes(backend: str) -> None:
    host = Host()
    filter_ = plugin("count_requests", backend, host)
    assert filter_.start(b"")
    filter_.request(GET_ROOT)
    assert host.metrics == {b"requests_total.other": 1}


def test_count_requests_goes_on_counting_after_an_update(backend: str) -> None:
    host = Host()
    filter_ = plugin("count_requests", backend, host)
    assert filter_.start(b"/a")
    filter_.request([(b":path", b"/a")])
    assert filter_.start(b"/b\n/a")
    filter_.request([(b":path", b"/a")])
    assert host.metrics[b"requests_total./a"] == 2


@pytest.mark.parametrize(
    "configuration",
    [b"cart", b"/a\ncart", b"\n".join([b"/p"] * 17), b"/" + b"x" * 1024],
)
def test_count_requests_refuses(backend: str, configuration: bytes) -> None:
    host = Host()
    assert not plugin("count_requests", backend, host).start(configuration)
    assert [line.level for line in host.logs] == [4]


def test_count_requests_takes_sixteen(backend: str) -> None:
    configuration = b"\n".join(b"/%d" % i for i in range(16))
    host = Host()
    filter_ = plugin("count_requests", backend, host)
    assert filter_.start(configuration)
    filter_.request([(b":path", b"/15")])
    # /1 comes first in the list
    assert host.metrics[b"requests_total./1"] == 1

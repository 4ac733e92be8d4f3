"""The life cycle that Envoy gives a plugin (envoy-wasm, section 2.8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.wasm.context import FilterState, LocalResponse
from generator.wasm.guest import Guest
from generator.wasm.host import Host
from generator.wasm.plugin import Outcome, Plugin
from tests.wasm.both import BACKENDS, load

LIFECYCLE = Path(__file__).parent / "guests" / "lifecycle.py"

START = ["create 1", "vm_start 1", "configure 1"]


@pytest.fixture(params=BACKENDS)
def guest(request: pytest.FixtureRequest) -> Guest:
    return load(LIFECYCLE, request.param, Host())


@pytest.fixture
def plugin(guest: Guest) -> Plugin:
    plugin = Plugin(guest)
    assert plugin.start(b"good")
    return plugin


def said(plugin: Plugin) -> list[str]:
    """What the guest logged since the last time."""
    text = plugin.guest.host.log_text()
    plugin.guest.host.logs.clear()
    return text


def wish(text: bytes) -> list[tuple[bytes, bytes]]:
    return [(b":path", b"/"), (b"X-Do", text)]


def test_request_to_the_end(plugin: Plugin) -> None:
    assert said(plugin) == START
    outcome = plugin.request([(b":path", b"/")])
    assert said(plugin) == [
        "create 2",
        "request 2",
        "headers 1",
        "response 2",
        "request map 2",  # gone in the response phase
        "log 2",
        "done 2",
        "delete 2",
    ]
    assert outcome == Outcome(
        0, None, ((b":path", b"/"),), ((b":status", b"200"),), is_closed=False
    )
    assert outcome.reaches_upstream
    assert outcome.status is None


def test_local_reply_passes_the_filter(plugin: Plugin) -> None:
    outcome = plugin.request(wish(b"deny"))
    # the action was CONTINUE; a queued local response still wins
    assert not outcome.reaches_upstream
    assert outcome.status == 403
    assert outcome.local_response == LocalResponse(403, b"no_rule", b"no", (), -1)
    assert outcome.response_after == (
        (b":status", b"403"),
        (b"content-length", b"2"),
        (b"content-type", b"text/plain"),
    )
    assert "request map 0" in said(plugin)  # readable in our own reply


def test_closed_stream(plugin: Plugin) -> None:
    outcome = plugin.request(wish(b"close"))
    assert (outcome.action, outcome.is_closed) == (1, True)
    assert not outcome.reaches_upstream


def test_fault_goes_to_the_handler(plugin: Plugin) -> None:
    outcome = plugin.request(wish(b"fault"))
    assert (outcome.action, outcome.status) == (1, 403)
    assert plugin.request(wish(b"")).reaches_upstream


def test_trap_kills_the_vm(plugin: Plugin) -> None:
    outcome = plugin.request(wish(b"trap"))
    assert (outcome.action, outcome.status) == (None, 503)
    assert not outcome.reaches_upstream
    assert plugin.request(wish(b"")).status == 503
    assert plugin.has_failed


def test_nothing_passes_before_a_good_start(guest: Guest) -> None:
    plugin = Plugin(guest)
    assert plugin.request(wish(b"")).status == 503
    assert not plugin.start(b"bad")
    assert not plugin.request(wish(b"")).reaches_upstream


def test_configuration_update(plugin: Plugin) -> None:
    stream = plugin.open_stream([(b":path", b"/")])
    said(plugin)
    assert plugin.start(b"better")
    assert said(plugin) == ["create 3", "vm_start 3", "configure 3"]
    # the stream ends on its old root, which then goes
    stream.request_headers()
    stream.finish()
    assert said(plugin)[-2:] == ["done 1", "delete 1"]
    plugin.request([])
    assert "create 4" in said(plugin)


def test_idle_root_goes_at_once(plugin: Plugin) -> None:
    said(plugin)
    assert plugin.start(b"better")
    assert said(plugin)[-2:] == ["done 1", "delete 1"]


def test_root_that_is_not_done_yet(guest: Guest) -> None:
    plugin = Plugin(guest)
    assert plugin.start(b"reluctant")
    assert plugin.start(b"better")
    assert said(plugin)[-1] == "done 1"
    assert 1 in guest.host.contexts
    plugin.run(1, "proxy_on_tick")
    assert said(plugin) == ["tick 1", "delete 1"]
    assert 1 not in guest.host.contexts


def test_refused_update_changes_nothing(plugin: Plugin) -> None:
    root = plugin.root_id
    assert not plugin.start(b"bad")
    assert plugin.root_id == root
    assert plugin.request(wish(b"")).reaches_upstream


def test_tick(plugin: Plugin) -> None:
    said(plugin)
    plugin.tick()
    assert said(plugin) == ["tick 1"]


def test_http_call(plugin: Plugin) -> None:
    host = plugin.guest.host
    host.clusters.add(b"keys")
    stream = plugin.open_stream(wish(b"ask"))
    assert stream.request_headers() == 1
    said(plugin)
    plugin.answer(host.http_calls[0], [(b":status", b"200")], b"the key")
    assert said(plugin) == ["answer 1", "the key"]
    assert stream.context.continued == [0]


def test_body(plugin: Plugin) -> None:
    stream = plugin.open_stream([(b":path", b"/")])
    stream.request_headers(end_of_stream=False)
    assert stream.request_body(b"text") == 0
    assert stream.data_after == b"> text"


def test_connection(plugin: Plugin) -> None:
    said(plugin)
    connection: dict[bytes, FilterState] = {}
    stream = plugin.open_connection(connection)
    assert stream.new_connection() == 0
    assert stream.downstream_data(b"abc") == 1
    stream.finish()
    assert said(plugin) == [
        "create 2",
        "connection 2",
        "data 3",
        "log 2",
        "done 2",
        "delete 2",
    ]

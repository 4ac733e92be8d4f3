"""Local responses, streams, HTTP calls, on both back ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generator.errors import ToolError
from generator.wasm.errors import UnknownHostcall
from generator.wasm.host import Host, LocalResponse
from generator.wasm.pairs import encode_pairs
from tests.wasm.abi_table import TABLE
from tests.wasm.conftest import ROOT_ID, STREAM_ID

Call = Callable[..., Any]

PAIRS = encode_pairs([(b"x-reason", b"no-rule")])
MINIMAL = [(b":method", b"GET"), (b":path", b"/"), (b":authority", b"keys")]


def test_first_local_response_wins(host: Host, call: Call) -> None:
    arguments = (403, b"no rule", b"denied", PAIRS, -1)
    assert call("proxy_send_local_response", *arguments) == 0
    assert call("proxy_send_local_response", 200, b"", b"", b"", 0) == 0
    headers = ((b"x-reason", b"no-rule"),)
    assert host.local_response == LocalResponse(403, b"no_rule", b"denied", headers, -1)


def test_local_response_with_malformed_headers_has_none(host: Host, call: Call) -> None:
    assert call("proxy_send_local_response", 403, b"", b"", PAIRS + b"!", 7) == 0
    assert host.local_response == LocalResponse(403, b"", b"", (), 7)


def test_local_response_without_http_does_nothing(host: Host, call: Call) -> None:
    # Envoy answers OK all the same: a network filter must close
    host.context.is_network = True
    assert call("proxy_send_local_response", 403, b"", b"", b"", -1) == 0
    assert host.local_response is None


def test_forced_failure_has_no_effect(host: Host, call: Call) -> None:
    host.failing["proxy_send_local_response"] = 6
    host.failing["proxy_get_property"] = 10
    assert call("proxy_send_local_response", 403, b"", b"", b"", -1) == 6
    assert host.local_response is None
    host.properties[b"plugin_name"] = b"p"
    assert call("proxy_get_property", b"plugin_name") == (10, b"")
    assert host.calls["proxy_send_local_response"] == 1


def test_streams_are_continued_and_closed(host: Host, call: Call) -> None:
    assert call("proxy_continue_stream", 0) == 0
    assert call("proxy_close_stream", 2) == 0
    assert (host.context.continued, host.context.closed) == ([0], [2])
    assert call("proxy_continue_stream", 4) == 2
    assert call("proxy_close_stream", 4) == 2


def test_effective_context(host: Host, call: Call) -> None:
    host.effective = ROOT_ID
    assert call("proxy_set_effective_context", STREAM_ID) == 0
    assert call("proxy_continue_stream", 0) == 0
    assert host.contexts[STREAM_ID].continued == [0]
    assert call("proxy_set_effective_context", 99) == 2
    assert host.effective == STREAM_ID


def test_done_only_when_it_is_awaited(host: Host, call: Call) -> None:
    assert call("proxy_done") == 1
    host.pending_done.add(STREAM_ID)
    assert call("proxy_done") == 0
    assert host.finished == [STREAM_ID]
    assert call("proxy_done") == 1


# --- HTTP calls: the cluster must exist, three headers are required -------------------


def test_http_call(host: Host, call: Call) -> None:
    host.clusters.add(b"keys")
    arguments = (b"keys", encode_pairs(MINIMAL), b"body", PAIRS, 500)
    assert call("proxy_http_call", *arguments) == (0, 1)
    assert call("proxy_http_call", *arguments) == (0, 2)
    sent = host.http_calls[0]
    assert (sent.context_id, sent.cluster, sent.timeout_ms) == (ROOT_ID, b"keys", 500)
    assert (sent.headers, sent.body) == (tuple(MINIMAL), b"body")
    assert sent.trailers == ((b"x-reason", b"no-rule"),)


@pytest.mark.parametrize(
    ("cluster", "headers"),
    [(b"other", MINIMAL), *((b"keys", MINIMAL[:i]) for i in range(3))],
)
def test_refused_http_call(
    host: Host, call: Call, cluster: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    host.clusters.add(b"keys")
    arguments = (cluster, encode_pairs(headers), b"", b"", 500)
    assert call("proxy_http_call", *arguments) == (2, 0)
    assert host.http_calls == []


def test_status_of_a_call(host: Host, call: Call) -> None:
    assert call("proxy_get_status") == (0, 0, b"")
    host.call_status = (14, b"unavailable")
    assert call("proxy_get_status") == (0, 14, b"unavailable")


# --- what is not emulated raises, it never answers OK ---------------------------------

NOT_EMULATED = [name for name in TABLE if "grpc" in name] + ["envoy_resolve_dns"]


@pytest.mark.parametrize("name", NOT_EMULATED)
def test_not_emulated(call: Call, name: str) -> None:
    arguments = [b"" if code == "b" else 0 for code in TABLE[name].takes]
    with pytest.raises(UnknownHostcall) as raised:
        call(name, *arguments)
    assert isinstance(raised.value, ToolError)
    assert raised.value.diagnostics[0].code == "RUN0004"


def test_all_others_are_emulated(host: Host) -> None:
    assert {n for n in TABLE if not hasattr(host, n)} == set(NOT_EMULATED)


def test_a_misspelt_hostcall_raises(host: Host) -> None:
    with pytest.raises(UnknownHostcall, match="proxy_lgo"):
        getattr(host, "proxy_lgo")  # noqa: B009 (mypy sees no such attribute)

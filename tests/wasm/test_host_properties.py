"""Properties and buffers, on both back ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generator.wasm.context import Context
from generator.wasm.host import Host, property_path
from tests.wasm.conftest import ROOT_ID, STREAM_ID

Call = Callable[..., Any]

PORT = (8080).to_bytes(8, "little")


def declaration(name: bytes, *, readonly: bool = False, span: int = 0) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name + bytes([0x10, readonly, 0x28, span])


# --- reading --------------------------------------------------------------------------


def test_given_property(host: Host, call: Call) -> None:
    host.properties[property_path("destination", "port")] = PORT
    assert call("proxy_get_property", b"destination\0port") == (0, PORT)
    assert call("proxy_get_property", b"destination\0port\0") == (0, PORT)


def test_empty_property_is_not_a_missing_one(host: Host, call: Call) -> None:
    host.properties[b"plugin_root_id"] = b""
    assert call("proxy_get_property", b"plugin_root_id") == (0, b"")
    assert call("proxy_get_property", b"route_name") == (1, b"")
    assert call("proxy_get_property", b"") == (3, b"")


def test_root_context_reads_only_node_and_plugin(host: Host, call: Call) -> None:
    host.properties[property_path("xds", "node", "id")] = b"n"
    host.properties[property_path("plugin_name")] = b"p"
    host.properties[property_path("xds", "listener_direction")] = PORT
    host.properties[property_path("source", "address")] = b"1.2.3.4:5"
    host.effective = ROOT_ID
    assert call("proxy_get_property", b"xds\0node\0id") == (0, b"n")
    assert call("proxy_get_property", b"plugin_name") == (0, b"p")
    assert call("proxy_get_property", b"xds\0listener_direction") == (1, b"")
    assert call("proxy_get_property", b"source\0address") == (1, b"")


REQUEST_HEADERS = [
    (b":method", b"GET"),
    (b":path", b"/a?b=c"),
    (b":authority", b"shop"),
    (b":scheme", b"http"),
    (b"x-request-id", b"7"),
    (b"x-a", b"1"),
    (b"x-a", b"2"),
]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (b"request\0path", b"/a?b=c"),
        (b"request\0url_path", b"/a"),
        (b"request\0query", b"b=c"),
        (b"request\0method", b"GET"),
        (b"request\0host", b"shop"),
        (b"request\0scheme", b"http"),
        (b"request\0id", b"7"),
        (b"request\0headers\0x-a", b"1,2"),
    ],
)
def test_request_properties_follow_the_headers(
    host: Host, call: Call, path: bytes, value: bytes
) -> None:
    assert call("proxy_get_property", path) == (1, b"")
    host.header_maps[0] = list(REQUEST_HEADERS)
    assert call("proxy_get_property", path) == (0, value)


def test_response_properties_follow_the_headers(host: Host, call: Call) -> None:
    host.header_maps[2] = [(b":status", b"404"), (b"x-b", b"1")]
    assert call("proxy_get_property", b"response\0code") == (
        0,
        (404).to_bytes(8, "little"),
    )
    assert call("proxy_get_property", b"response\0headers\0x-b") == (0, b"1")
    assert call("proxy_get_property", b"request\0path") == (1, b"")


# --- writing --------------------------------------------------------------------------


def test_set_property_has_two_names(call: Call) -> None:
    assert call("proxy_set_property", b"seen", b"1") == 0
    assert call("proxy_get_property", b"seen") == (0, b"1")
    assert call("proxy_get_property", b"filter_state\0wasm.seen") == (0, b"1")


def test_set_property_lives_with_its_stream(host: Host, call: Call) -> None:
    host.contexts[3] = Context(3, ROOT_ID)
    assert call("proxy_set_property", b"seen", b"1") == 0
    host.effective = 3
    assert call("proxy_get_property", b"seen") == (1, b"")


def test_root_context_cannot_set(host: Host, call: Call) -> None:
    host.effective = ROOT_ID
    assert call("proxy_set_property", b"seen", b"1") == 1


def test_declared_property_lives_with_the_connection(host: Host, call: Call) -> None:
    network, http = host.contexts[STREAM_ID], Context(3, ROOT_ID)
    http.connection = network.connection
    host.contexts[3] = http
    host.effective = ROOT_ID
    arguments = declaration(b"conn_src", span=2)
    assert call("proxy_call_foreign_function", b"declare_property", arguments)[0] == 0
    host.effective = STREAM_ID
    assert call("proxy_set_property", b"conn_src", b"127.0.0.2") == 0
    host.effective = 3
    assert call("proxy_get_property", b"conn_src") == (0, b"127.0.0.2")


def test_network_filter_stores_to_the_connection(host: Host, call: Call) -> None:
    host.context.is_network = True
    assert call("proxy_set_property", b"seen", b"1") == 0
    assert host.context.connection[b"seen"].value == b"1"


def test_declaration_of_a_stream_is_in_vain(call: Call) -> None:
    arguments = declaration(b"once", readonly=True)
    assert call("proxy_call_foreign_function", b"declare_property", arguments)[0] == 0
    assert call("proxy_set_property", b"once", b"1") == 0
    assert call("proxy_set_property", b"once", b"2") == 0


def test_readonly_property_is_set_once(host: Host, call: Call) -> None:
    arguments = declaration(b"once", readonly=True)
    host.effective = ROOT_ID
    assert call("proxy_call_foreign_function", b"declare_property", arguments)[0] == 0
    host.effective = STREAM_ID
    assert call("proxy_set_property", b"once", b"1") == 0
    assert call("proxy_set_property", b"once", b"2") == 2
    assert call("proxy_get_property", b"once") == (0, b"1")


# --- buffers --------------------------------------------------------------------------


def test_plugin_configuration_only_while_configuring(host: Host, call: Call) -> None:
    host.plugin_configuration = b"{}"
    assert call("proxy_get_buffer_bytes", 7, 0, 99) == (1, b"")
    assert call("proxy_get_buffer_status", 7) == (1, 0, 0)
    host.is_configuring = True
    assert call("proxy_get_buffer_bytes", 7, 0, 99) == (0, b"{}")
    assert call("proxy_get_buffer_status", 7) == (0, 2, 0)
    assert call("proxy_set_buffer_bytes", 7, 0, 2, b"[]") == 2


def test_vm_configuration_at_any_time(host: Host, call: Call) -> None:
    host.vm_configuration = b"vm"
    assert call("proxy_get_buffer_bytes", 6, 1, 99) == (0, b"m")


def test_body_is_read_in_part(host: Host, call: Call) -> None:
    host.context.buffers[0] = b"abcdef"
    assert call("proxy_get_buffer_bytes", 0, 2, 3) == (0, b"cde")
    assert call("proxy_get_buffer_bytes", 0, 4, 99) == (0, b"ef")
    assert call("proxy_get_buffer_bytes", 0, 9, 1) == (0, b"")
    assert call("proxy_get_buffer_bytes", 0, 1, 0xFFFFFFFF) == (0, b"bcdef")


def test_body_that_is_not_there(call: Call) -> None:
    assert call("proxy_get_buffer_bytes", 1, 0, 1) == (0, b"")
    assert call("proxy_get_buffer_status", 1) == (0, 0, 0)
    assert call("proxy_get_buffer_bytes", 4, 0, 1) == (1, b"")
    assert call("proxy_get_buffer_bytes", 9, 0, 1) == (2, b"")


@pytest.mark.parametrize(
    ("start", "length", "status", "after"),
    [
        (0, 0, 0, b"XYabc"),  # prepend
        (0, 3, 0, b"XY"),  # replace all
        (3, 0, 0, b"abcXY"),  # append
        (0, 2, 0, b"XYc"),  # replace the first
        (1, 1, 2, b"abc"),  # no other edit is known
    ],
)
def test_body_edits(
    host: Host, call: Call, start: int, length: int, status: int, after: bytes
) -> None:
    host.context.buffers[0] = b"abc"
    assert call("proxy_set_buffer_bytes", 0, start, length, b"XY") == status
    assert host.context.buffers[0] == after


def test_no_buffer_to_edit(call: Call) -> None:
    assert call("proxy_set_buffer_bytes", 1, 0, 0, b"x") == 2
    assert call("proxy_set_buffer_bytes", 9, 0, 0, b"x") == 2

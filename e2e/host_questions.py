"""What is asked of Envoy and of the emulated host alike: scripts of hostcalls.

SCRIPT is a request that passes, DENYING one that the module answers itself, on a
connection that the same module watches. Numbers that only an Envoy can give (metric
ids, ports of clients) are hidden.
"""

from __future__ import annotations

from collections.abc import Iterable

from e2e.host_script import Result, Script, Step
from generator.wasm.header_map import INLINE
from generator.wasm.pairs import encode_pairs

PORT = 8080
CONFIGURATION = "the configuration"

REQUEST, RESPONSE = 0, 2
PAIRS = encode_pairs([(b"x-one", b"1"), (b"X-Two", b""), (b"x-one", b"2")])
LAST = encode_pairs(
    [
        (b"x-b", b"1"),
        (b":path", b"/"),
        (b":method", b"GET"),
        (b":authority", b"agree"),
        (b":scheme", b"http"),
        (b"x-forwarded-proto", b"http"),  # or Envoy finds no route
        (b"X-A", b"2"),
        (b"x-b", b"3"),
    ]
)
ANSWER = encode_pairs([(b":status", b"200"), (b"content-type", b"application/json")])
CLUSTER = b"inbound|8080||"
CALL_HEADERS = encode_pairs([(b":method", b"GET"), (b":path", b"/")])


def declared(name: bytes, span: int, *, readonly: bool = False) -> bytes:
    return b"\x0a" + bytes([len(name)]) + name + bytes([0x10, readonly, 0x28, span])


def get(label: str, path: bytes, *, hidden: bool = False) -> Step:
    return Step(label, "proxy_get_property", (path,), hidden)


def header(label: str, headers: int, name: bytes) -> Step:
    return Step(label, "proxy_get_header_map_value", (headers, name))


def buffer(label: str, kind: int, start: int, length: int) -> Step:
    return Step(label, "proxy_get_buffer_bytes", (kind, start, length))


def foreign(label: str, name: bytes, arguments: bytes = b"") -> Step:
    return Step(label, "proxy_call_foreign_function", (name, arguments))


def twice(headers: int, names: Iterable[bytes]) -> Iterable[Step]:
    """Remove a header, add it twice, read it, remove it."""
    for name in sorted(names):
        title = name.decode()
        yield Step(f"{title}-none", "proxy_remove_header_map_value", (headers, name))
        for value in (b"1", b"2"):
            add = (headers, name, value)
            label = f"{title}-{value.decode()}"
            yield Step(label, "proxy_add_header_map_value", add)
        yield header(f"{title}-read", headers, name)
        yield Step(f"{title}-gone", "proxy_remove_header_map_value", (headers, name))


CONFIGURE = (
    # a root context has no stream
    get("node-id", b"xds\0node\0id"),
    get("node-id-nul", b"xds\0node\0id\0"),
    get("plugin-name", b"plugin_name"),
    get("plugin-root", b"plugin_root_id"),
    get("old-name", b"node\0id"),
    get("root-source", b"source\0address"),
    get("root-path", b"request\0path"),
    get("empty-path", b""),
    Step("root-set", "proxy_set_property", (b"here", b"1")),
    header("root-header", REQUEST, b":path"),
    Step("root-pairs", "proxy_get_header_map_pairs", (REQUEST,)),
    # buffers
    buffer("configuration", 7, 0, 99),
    buffer("part", 7, 4, 3),
    buffer("nothing-of", 7, 4, 0),
    buffer("at-the-end", 7, len(CONFIGURATION), 1),
    buffer("beyond", 7, 99, 2),
    buffer("overflow", 7, 0xFFFFFFFF, 2),
    buffer("overflow-length", 7, 1, 0xFFFFFFFF),
    buffer("vm-configuration", 6, 0, 99),
    *(buffer(f"no-buffer-{i}", i, 0, 99) for i in (0, 1, 2, 3, 4, 5, 8, 9)),
    buffer("no-such-buffer", 99, 0, 99),
    Step("status-configuration", "proxy_get_buffer_status", (7,)),
    Step("status-body", "proxy_get_buffer_status", (0,)),
    Step("edit-configuration", "proxy_set_buffer_bytes", (7, 0, 0, b"x")),
    # foreign functions
    foreign("declare", b"declare_property", declared(b"conn", 2)),
    foreign("declare-again", b"declare_property", declared(b"conn", 2)),
    foreign(
        "declare-readonly", b"declare_property", declared(b"once", 0, readonly=True)
    ),
    foreign("declare-badly", b"declare_property", b"\x0a\x50"),
    foreign("unknown-function", b"no_such_function"),
    # log, time
    Step("log-level-9", "proxy_log", (9, b"nine")),
    Step("clock-2", "clock_time_get", (2, 1)),
    Step("no-call", "proxy_get_status"),
    Step("random-much", "random_get", (0x40000, 65537)),
    Step("random-most", "random_get", (0x40000, 65536)),
    Step("environ-sizes", "environ_sizes_get"),
    Step("pthread", "pthread_equal", (4, 4)),
    # calls
    Step("http-no-cluster", "proxy_http_call", (b"none", CALL_HEADERS, b"", b"", 9)),
    Step("root-deny", "proxy_send_local_response", (403, b"", b"", b"", -1)),
    Step("root-continue", "proxy_continue_stream", (0,)),
    Step("root-close", "proxy_close_stream", (0,)),
    Step("root-continue-9", "proxy_continue_stream", (9,)),
    Step("root-close-9", "proxy_close_stream", (9,)),
    Step("no-context", "proxy_set_effective_context", (999,)),
)

METRICS = (
    Step("counter", "proxy_define_metric", (0, b"agree_counter"), hidden=True),
    Step("counter-again", "proxy_define_metric", (0, b"agree_counter"), hidden=True),
    Step("gauge", "proxy_define_metric", (1, b"agree_gauge"), hidden=True),
    Step("histogram", "proxy_define_metric", (2, b"agree_histogram"), hidden=True),
    Step("kind-3", "proxy_define_metric", (3, b"agree_none")),
    Step("add", "proxy_increment_metric", (Result("counter"), 5)),
    Step("add-again", "proxy_increment_metric", (Result("counter-again"), 2)),
    Step("add-nothing", "proxy_increment_metric", (Result("counter"), 0)),
    Step("fall", "proxy_increment_metric", (Result("counter"), -1)),
    Step("record-counter", "proxy_record_metric", (Result("counter"), 3)),
    Step("read-counter", "proxy_get_metric", (Result("counter"),)),
    Step("set-gauge", "proxy_record_metric", (Result("gauge"), 9)),
    Step("lower-gauge", "proxy_increment_metric", (Result("gauge"), -4)),
    Step("keep-gauge", "proxy_increment_metric", (Result("gauge"), 0)),
    Step("read-gauge", "proxy_get_metric", (Result("gauge"),)),
    Step("record-time", "proxy_record_metric", (Result("histogram"), 9)),
    Step("add-time", "proxy_increment_metric", (Result("histogram"), 9)),
    Step("read-time", "proxy_get_metric", (Result("histogram"),)),
    Step("no-metric", "proxy_get_metric", (4000,)),
    Step("add-none", "proxy_increment_metric", (4000, 1)),
    Step("record-none", "proxy_record_metric", (4000, 1)),
)

SHARED = (
    Step("no-data", "proxy_get_shared_data", (b"agree",)),
    Step("store", "proxy_set_shared_data", (b"agree", b"1", 0)),
    Step("data", "proxy_get_shared_data", (b"agree",), hidden=True),
    Step("stale", "proxy_set_shared_data", (b"agree", b"2", 9999)),
    Step("new-stale", "proxy_set_shared_data", (b"agree-new", b"2", 9999)),
    Step("store-any", "proxy_set_shared_data", (b"agree", b"3", 0)),
    Step("new-empty", "proxy_set_shared_data", (b"agree-empty", b"", 0)),
    Step("read-empty", "proxy_get_shared_data", (b"agree-empty",), hidden=True),
    Step("no-queue", "proxy_resolve_shared_queue", (b"", b"none")),
    Step("queue", "proxy_register_shared_queue", (b"agree-queue",), hidden=True),
    Step("push", "proxy_enqueue_shared_queue", (Result("queue"), b"one")),
    Step("pull", "proxy_dequeue_shared_queue", (Result("queue"),)),
    Step("pull-empty", "proxy_dequeue_shared_queue", (Result("queue"),)),
    Step("push-nowhere", "proxy_enqueue_shared_queue", (4000, b"one")),
    Step("pull-nowhere", "proxy_dequeue_shared_queue", (4000,)),
)

PROPERTIES = (
    get("path", b"request\0path"),
    get("url-path", b"request\0url_path"),
    get("query", b"request\0query"),
    get("method", b"request\0method"),
    get("host", b"request\0host"),
    get("scheme", b"request\0scheme"),
    get("useragent", b"request\0useragent"),
    get("header-joined", b"request\0headers\0x-twice"),
    get("header-missing", b"request\0headers\0x-none"),
    get("header-upper", b"request\0headers\0X-Twice"),
    get("no-response", b"response\0headers\0x-none"),
    get("direction", b"xds\0listener_direction"),
    get("destination-port", b"destination\0port"),
    get("old-direction", b"listener_direction"),
    get("old-route", b"route_name"),
    get("unknown", b"no_such_property"),
    Step("set", "proxy_set_property", (b"mine", b"a")),
    get("mine", b"mine"),
    get("mine-state", b"filter_state\0wasm.mine"),
    Step("set-again", "proxy_set_property", (b"mine", b"b")),
    get("mine-again", b"mine"),
    Step("set-empty", "proxy_set_property", (b"mine", b"")),
    get("mine-empty", b"mine"),
    Step("set-once", "proxy_set_property", (b"once", b"a")),
    Step("set-twice", "proxy_set_property", (b"once", b"b")),
    get("once", b"once"),
    Step("set-connection", "proxy_set_property", (b"conn", b"c")),
    get("connection", b"conn"),
    foreign("declare-late", b"declare_property", declared(b"late", 0)),
    foreign("declare-late-again", b"declare_property", declared(b"late", 0)),
    foreign("declare-other", b"declare_property", declared(b"conn", 0)),
    foreign("declare-vain", b"declare_property", declared(b"vain", 0, readonly=True)),
    Step("set-vain", "proxy_set_property", (b"vain", b"a")),
    Step("set-vain-again", "proxy_set_property", (b"vain", b"b")),
    get("empty-path-here", b""),
    get("only-nul", b"\0"),
)

HEADERS = (
    Step("pairs", "proxy_get_header_map_pairs", (REQUEST,)),
    Step("size", "proxy_get_header_map_size", (REQUEST,)),
    header("first", REQUEST, b"x-twice"),
    header("upper", REQUEST, b"X-TWICE"),
    header("missing", REQUEST, b"x-none"),
    header("empty", REQUEST, b"x-empty"),
    header("no-map", RESPONSE, b":status"),
    header("no-such-map", 9, b"x"),
    Step("pairs-no-such-map", "proxy_get_header_map_pairs", (9,)),
    Step("size-no-such-map", "proxy_get_header_map_size", (9,)),
    Step("pairs-no-map", "proxy_get_header_map_pairs", (RESPONSE,)),
    Step("size-no-map", "proxy_get_header_map_size", (RESPONSE,)),
    Step("add-no-map", "proxy_add_header_map_value", (RESPONSE, b"x", b"y")),
    Step("remove-no-map", "proxy_remove_header_map_value", (9, b"x")),
    Step("set-no-map", "proxy_set_header_map_pairs", (RESPONSE, PAIRS)),
    Step("add", "proxy_add_header_map_value", (REQUEST, b"X-Twice", b"3")),
    Step("add-empty", "proxy_add_header_map_value", (REQUEST, b"x-new", b"")),
    Step("pairs-added", "proxy_get_header_map_pairs", (REQUEST,)),
    Step("replace", "proxy_replace_header_map_value", (REQUEST, b"X-twice", b"4")),
    Step("replace-new", "proxy_replace_header_map_value", (REQUEST, b"x-rep", b"5")),
    Step("replace-path", "proxy_replace_header_map_value", (REQUEST, b":path", b"/z")),
    Step(
        "replace-agent",
        "proxy_replace_header_map_value",
        (REQUEST, b"User-Agent", b"6"),
    ),
    Step("add-agent", "proxy_add_header_map_value", (REQUEST, b"user-agent", b"7")),
    Step("add-pseudo", "proxy_add_header_map_value", (REQUEST, b":method", b"PUT")),
    Step("put-back", "proxy_replace_header_map_value", (REQUEST, b":method", b"GET")),
    Step("pairs-replaced", "proxy_get_header_map_pairs", (REQUEST,)),
    Step("remove", "proxy_remove_header_map_value", (REQUEST, b"X-TWICE")),
    Step("remove-missing", "proxy_remove_header_map_value", (REQUEST, b"x-none")),
    Step("pairs-removed", "proxy_get_header_map_pairs", (REQUEST,)),
    *twice(
        REQUEST, INLINE[REQUEST] | {b"host", b"cookie", b"x-other", b"x-overlay-key"}
    ),
    Step("set-pairs", "proxy_set_header_map_pairs", (REQUEST, LAST)),
    Step("pairs-set", "proxy_get_header_map_pairs", (REQUEST,)),
    Step("continue-9", "proxy_continue_stream", (9,)),
    Step("close-9", "proxy_close_stream", (9,)),
    Step("done-in-stream", "proxy_done"),
    Step(
        "http-no-cluster-here", "proxy_http_call", (b"none", CALL_HEADERS, b"", b"", 9)
    ),
    Step("http-no-headers", "proxy_http_call", (CLUSTER, CALL_HEADERS, b"", b"", 9)),
    Step("tick", "proxy_set_tick_period_milliseconds", (0,)),
    Step("body-early", "proxy_get_buffer_bytes", (0, 0, 9)),
    Step("body-status", "proxy_get_buffer_status", (0,)),
    Step("body-edit", "proxy_set_buffer_bytes", (0, 0, 0, b"x")),
    buffer("late-configuration", 7, 0, 99),
    buffer("late-vm-configuration", 6, 0, 99),
)

BODY = (
    buffer("body", 0, 0, 99),
    buffer("body-part", 0, 1, 1),
    buffer("body-beyond", 0, 9, 1),
    Step("body-size", "proxy_get_buffer_status", (0,)),
    Step("prepend", "proxy_set_buffer_bytes", (0, 0, 0, b"<")),
    Step("append", "proxy_set_buffer_bytes", (0, 99, 0, b">")),
    Step("append-at-end", "proxy_set_buffer_bytes", (0, 5, 7, b">")),
    Step("replace-some", "proxy_set_buffer_bytes", (0, 0, 2, b"x")),
    Step("replace-middle", "proxy_set_buffer_bytes", (0, 1, 1, b"x")),
    buffer("body-edited", 0, 0, 99),
    Step("replace-all", "proxy_set_buffer_bytes", (0, 0, 99, b"all")),
    buffer("body-replaced", 0, 0, 99),
    buffer("other-body", 1, 0, 99),
    Step("edit-other-body", "proxy_set_buffer_bytes", (1, 0, 0, b"x")),
    header("body-header", REQUEST, b":method"),
    Step("body-headers", "proxy_get_header_map_pairs", (REQUEST,)),
    get("body-path", b"request\0path"),
    get("body-mine", b"mine"),
)

RESPONSES = (
    header("gone", REQUEST, b":path"),
    Step("gone-pairs", "proxy_get_header_map_pairs", (REQUEST,)),
    get("gone-path", b"request\0path"),
    header("status", RESPONSE, b":status"),
    get("code", b"response\0code"),
    get("type", b"response\0headers\0content-type"),
    get("mine-later", b"mine"),
    *twice(RESPONSE, INLINE[RESPONSE] | {b"set-cookie", b"retry-after", b"host"}),
    Step("response-back", "proxy_set_header_map_pairs", (RESPONSE, ANSWER)),
    Step("add-late", "proxy_add_header_map_value", (REQUEST, b"x", b"y")),
)

LOGS = (
    header("back", REQUEST, b":method"),
    get("back-method", b"request\0method"),
    header("back-status", RESPONSE, b":status"),
    get("mine-last", b"mine"),
)

SCRIPT: Script = {
    "C": CONFIGURE,
    "Q": (*PROPERTIES, *HEADERS, *METRICS, *SHARED),
    "B": BODY,
    "P": RESPONSES,
    "L": LOGS,
}

SENT = [("x-twice", "1"), ("x-twice", "2"), ("x-empty", ""), ("User-Agent", "e2e")]

# --- a denied request, and the connection that it came on -----------------------------

DENIAL = (403, b"no rule", b"denied", PAIRS, -1)

DENYING: Script = {
    "C": (foreign("declare", b"declare_property", declared(b"conn", 2)),),
    "N": (
        Step("net-deny", "proxy_send_local_response", DENIAL),
        get("source", b"source\0port", hidden=True),
        get("net-path", b"request\0path"),
        get("net-mine", b"conn"),
        Step("net-set", "proxy_set_property", (b"conn", b"from the network filter")),
        Step("net-set-chain", "proxy_set_property", (b"chain", b"c")),
        get("net-chain", b"chain"),
        header("net-header", REQUEST, b":path"),
        Step("net-pairs", "proxy_get_header_map_pairs", (REQUEST,)),
        Step("net-add", "proxy_add_header_map_value", (REQUEST, b"x", b"y")),
        buffer("net-early", 2, 0, 9),
        Step("net-edit-early", "proxy_set_buffer_bytes", (2, 0, 0, b"x")),
        Step("net-continue", "proxy_continue_stream", (2,)),
    ),
    "D": (
        buffer("net-data", 2, 0, 5),
        buffer("net-upstream", 3, 0, 9),
        buffer("net-body", 0, 0, 9),
        get("net-mine-still", b"conn"),
    ),
    "Q": (
        get("http-conn", b"conn"),
        get("http-conn-state", b"filter_state\0wasm.conn"),
        get("http-chain", b"chain"),
        Step("pairs", "proxy_get_header_map_pairs", (REQUEST,)),
        Step("deny", "proxy_send_local_response", DENIAL),
        Step("deny-again", "proxy_send_local_response", (200, b"", b"", b"", -1)),
        header("still-there", REQUEST, b":method"),
        Step("add-vain", "proxy_add_header_map_value", (REQUEST, b"x-vain", b"1")),
    ),
    "P": (
        header("own-status", RESPONSE, b":status"),
        Step("own-pairs", "proxy_get_header_map_pairs", (RESPONSE,)),
        header("own-request", REQUEST, b"x-vain"),
        get("own-path", b"request\0path"),
        get("own-code", b"response\0code"),
        get("own-conn", b"conn"),
    ),
    "L": (
        get("log-code", b"response\0code"),
        header("log-status", RESPONSE, b":status"),
        header("log-request", REQUEST, b"x-vain"),
        header("log-missing", REQUEST, b"x-none"),
    ),
}

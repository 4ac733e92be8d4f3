"""The emulated host answers what Envoy answers, status by status, byte by byte.

One module makes the hostcalls of a script in Envoy and in the emulator; both logs must
be equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from e2e.addresses import Addresses
from e2e.envoy import Envoy, start_envoy
from e2e.host_questions import ANSWER, CONFIGURATION, DENYING, PORT, SCRIPT, SENT
from e2e.host_script import Script, script_module
from e2e.mesh import start_applications
from e2e.probe import Answer, send
from e2e.processes import Children, wait_until
from e2e.proxy import Inbound, Node, Plugin, Proxy
from generator.wasm.context import FilterState
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host, property_path
from generator.wasm.pairs import decode_pairs
from generator.wasm.plugin import Plugin as EmulatedPlugin

MESSAGE = re.compile(r"wasm log[^:]*: (.*)$")


def envoy_lines(envoy: Envoy, phases: Iterable[str]) -> list[str]:
    """Return what the module logged, each configuration but the first left out."""
    text = (envoy.folder / "envoy.log").read_text()
    found = [m[1] for m in map(MESSAGE.search, text.splitlines()) if m]
    count = len([line for line in found if line.startswith("C ")]) // 3
    first = [line for line in found if line.startswith("C ")][:count]
    later = [line for line in found if not line.startswith("C ")]
    return [line for line in first + later if line[0] in phases]


def host_like(envoy: list[str]) -> Host:
    """Return a host that knows what this Envoy knows."""
    host = Host(environment={"AGREE": "yes"})
    host.properties |= {
        b"plugin_name": b"agree",
        b"plugin_root_id": b"root",
        property_path("xds", "listener_direction"): (1).to_bytes(8, "little"),
        property_path("destination", "port"): PORT.to_bytes(8, "little"),
        property_path("source", "port"): b"hidden",
    }
    return host


def result(lines: list[str], title: str) -> bytes:
    prefix = f"{title} result "
    return bytes.fromhex(next(x for x in lines if x.startswith(prefix))[len(prefix) :])


def run_in_envoy(
    script: Script, family: Children, addresses: Addresses, folder: Path
) -> tuple[Envoy, bytes, Answer]:
    """Send one request through the module of a script in a real Envoy."""
    module = script_module(script)
    path = folder / "agree.wasm"
    path.write_bytes(module)
    start_applications(family, {f"{addresses.origin(2)}:{PORT}": "agree"}, folder)
    plugin = Plugin(
        path,
        CONFIGURATION,
        "agree",
        "root",
        environment={"AGREE": "yes"},
        is_network_too="N" in script,
    )
    inbound = Inbound(addresses.pod(2), PORT, addresses.origin(2), (plugin,))
    node = Node("agree", "shop", {"app": "agree"}, "agree", (addresses.pod(2),))
    envoy = start_envoy(family, Proxy(node, (inbound,)), folder / "envoy")
    envoy.wait_ready()
    answer = send(
        addresses.pod(1),
        addresses.pod(2),
        PORT,
        path="/a?b=c",
        headers=SENT,
        body=b"abc",
    )
    # The request logs, and so does the connection when it is closed.
    last, streams = f"L {script['L'][-1].label} status", 1 + ("N" in script)
    wait_until(
        lambda: sum(x.startswith(last) for x in envoy_lines(envoy, script)) >= streams,
        "the last line",
    )
    return envoy, module, answer


def test_a_request_that_passes(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    envoy, module, answer = run_in_envoy(SCRIPT, family, addresses, tmp_path)
    assert answer.code == 200
    seen = envoy_lines(envoy, SCRIPT)
    host = host_like(seen)
    node_id = result(seen, "C node-id")
    host.properties[property_path("xds", "node", "id")] = node_id
    plugin = EmulatedPlugin(WasmGuest(module, host))
    assert plugin.start(CONFIGURATION.encode())
    stream = plugin.open_stream(decode_pairs(result(seen, "Q pairs")))
    stream.request_headers(end_of_stream=False)
    stream.request_body(b"abc", end_of_stream=False)
    stream.request_body(b"")
    stream.response_headers(decode_pairs(ANSWER), end_of_stream=False)
    stream.finish()
    emulated = [line for line in host.log_text() if line[0] in SCRIPT]
    assert sorted(set(emulated) - set(seen)) == sorted(set(seen) - set(emulated))
    assert emulated == seen


def test_a_request_that_is_denied(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    envoy, module, answer = run_in_envoy(DENYING, family, addresses, tmp_path)
    assert (answer.code, answer.body) == (403, b"denied")
    seen = envoy_lines(envoy, "NDQPL")
    host = host_like(seen)
    plugin = EmulatedPlugin(WasmGuest(module, host))
    assert plugin.start(CONFIGURATION.encode())
    connection: dict[bytes, FilterState] = {}
    network = plugin.open_connection(connection)
    network.new_connection()
    network.downstream_data(result(seen, "D net-data"))
    outcome = plugin.request(
        decode_pairs(result(seen, "Q pairs")), connection=connection
    )
    assert outcome.status == answer.code
    network.finish()
    emulated = [line for line in host.log_text() if line[0] in "NDQPL"]

    assert sorted(set(emulated) - set(seen)) == sorted(set(seen) - set(emulated))
    assert emulated == seen

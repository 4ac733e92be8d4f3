"""Drives a guest through the life cycle that Envoy gives a plugin.

    start:   context_create(root, 0) -> vm_start -> configure
    request: context_create(stream, root) -> request_headers -> response_headers ->
             log -> done -> delete
    (envoy-wasm, section 2.8)

Starting again is a configuration update: the same VM gets a second root context, new
streams belong to it, and the old root lives until its last stream has ended. A guest
that trapped is dead: every request of its VM then gets 503 (FAIL_CLOSED).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from filters.abi import BufferType, MapType
from generator.wasm.context import Context, FilterState, HeaderList, LocalResponse
from generator.wasm.errors import GuestTrap
from generator.wasm.guest import Guest
from generator.wasm.header_map import header_map
from generator.wasm.state import HttpCall
from generator.wasm.stream import PASSING, Stream

FAILED_STATUS: Final = 503
"""What the client of a dead VM gets, with the details `wasm_fail_stream`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request came to. `action` is None if no guest could judge it."""

    action: int | None
    local_response: LocalResponse | None = None
    headers_after: tuple[tuple[bytes, bytes], ...] = ()
    response_after: tuple[tuple[bytes, bytes], ...] = ()
    is_closed: bool = False

    @property
    def reaches_upstream(self) -> bool:
        is_ended = self.is_closed or self.local_response is not None
        return self.action in PASSING and not is_ended

    @property
    def status(self) -> int | None:
        """The status that the filter made the client see, or None."""
        if self.action is None:
            return FAILED_STATUS
        return self.local_response.code if self.local_response else None


@dataclass
class Plugin:
    """One plugin in one VM."""

    guest: Guest
    root_id: int = 0
    has_failed: bool = False
    _last_id: int = 0
    _streams: dict[int, set[int]] = field(default_factory=dict)

    def start(self, configuration: bytes) -> bool:
        """Configure a new root context; on refusal the old one goes on serving."""
        host = self.guest.host
        root = self.new_context(0)
        host.plugin_configuration = configuration
        try:
            self.run(root, "proxy_on_context_create", 0)
            is_ready = bool(
                self.run(
                    root, "proxy_on_vm_start", len(host.vm_configuration), default=1
                )
            )
            if is_ready:
                host.is_configuring = True
                size = len(configuration)
                is_ready = bool(self.run(root, "proxy_on_configure", size, default=1))
        except GuestTrap:
            return False
        finally:
            host.is_configuring = False
        old = self.root_id if is_ready else root
        self.root_id = root if is_ready else self.root_id
        self.retire(old)
        return is_ready

    def request(
        self,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        response: Sequence[tuple[bytes, bytes]] = ((b":status", b"200"),),
        connection: dict[bytes, FilterState] | None = None,
    ) -> Outcome:
        """Send a request without a body through the filter, to its very end."""
        if self.has_failed or self.root_id == 0:
            return Outcome(None)
        try:
            stream = self.open_stream(headers, connection=connection)
            action = stream.request_headers()
            after = stream.sent_headers
            local = stream.context.local_response
            outcome = Outcome(action, local, after, (), bool(stream.context.closed))
            if local is not None:
                stream.answer_locally(local)
            elif outcome.reaches_upstream:
                stream.response_headers(response)
            answered = tuple(
                stream.context.header_maps.get(MapType.RESPONSE_HEADERS, ())
            )
            stream.finish()
        except GuestTrap:
            return Outcome(None)
        return Outcome(action, local, after, answered, outcome.is_closed)

    def open_stream(
        self,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        connection: dict[bytes, FilterState] | None = None,
    ) -> Stream:
        """Start an HTTP stream of the current root context."""
        context = self._new_stream(connection)
        sent = header_map(MapType.REQUEST_HEADERS, headers)
        context.header_maps[MapType.REQUEST_HEADERS] = sent
        return Stream(self, context)

    def open_connection(self, connection: dict[bytes, FilterState]) -> Stream:
        """Start a network filter's stream; `connection` outlives its HTTP streams."""
        context = self._new_stream(connection)
        context.is_network = True
        return Stream(self, context)

    def tick(self) -> None:
        """Let the timer of the root context fire."""
        self.run(self.root_id, "proxy_on_tick")

    def answer(
        self, call: HttpCall, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Answer an HTTP call of the guest; no headers means that it failed."""
        context = self.guest.host.contexts[call.context_id]
        listed: HeaderList = list(headers)
        context.header_maps[MapType.HTTP_CALL_RESPONSE_HEADERS] = listed
        context.buffers[BufferType.HTTP_CALL_RESPONSE_BODY] = body
        sizes = (call.token, len(listed), len(body), 0)
        self.run(call.context_id, "proxy_on_http_call_response", *sizes)
        del context.header_maps[MapType.HTTP_CALL_RESPONSE_HEADERS]
        del context.buffers[BufferType.HTTP_CALL_RESPONSE_BODY]

    # --- contexts --------------------------------------------------------------------

    def new_context(self, parent_id: int) -> int:
        self._last_id += 1
        self.guest.host.contexts[self._last_id] = Context(self._last_id, parent_id)
        return self._last_id

    def _new_stream(self, connection: dict[bytes, FilterState] | None) -> Context:
        stream_id = self.new_context(self.root_id)
        context = self.guest.host.contexts[stream_id]
        if connection is not None:
            context.connection = connection
        self._streams.setdefault(self.root_id, set()).add(stream_id)
        self.run(stream_id, "proxy_on_context_create", self.root_id)
        return context

    def run(
        self, context_id: int, export: str, *arguments: int, default: int = 0
    ) -> int:
        """Run a callback in its context; `default` is what its absence means."""
        host = self.guest.host
        if not self.guest.has(export):
            return default
        host.effective = context_id
        try:
            answer = int(self.guest.call(export, context_id, *arguments) or 0)
        except GuestTrap:
            self.has_failed = True
            raise
        finally:
            host.effective = 0
        while host.finished:
            self._drop(host.finished.pop())
        return answer

    def end_stream(self, context: Context) -> None:
        """Delete a stream context, and its root if that waits for it."""
        self.delete(context.context_id)
        self._streams[context.parent_id].discard(context.context_id)
        if context.parent_id != self.root_id:
            self.retire(context.parent_id)

    def retire(self, root: int) -> None:
        """Delete a root context that no stream uses."""
        if root and not self._streams.get(root):
            self.delete(root)

    def delete(self, context_id: int) -> None:
        """Delete a context, unless its `proxy_on_done` answers "not yet"."""
        if self.run(context_id, "proxy_on_done", default=1):
            self._drop(context_id)
        else:
            self.guest.host.pending_done.add(context_id)

    def _drop(self, context_id: int) -> None:
        self.run(context_id, "proxy_on_delete")
        del self.guest.host.contexts[context_id]

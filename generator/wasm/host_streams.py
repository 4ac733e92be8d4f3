"""Hostcalls that end, resume or start streams.

Source: envoy-wasm, section 3.5. What they ask for is queued and takes effect when the
callback returns: the driver (plugin.py) reads it from the context. gRPC calls and DNS
are not emulated: calling one raises.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Status, StreamType
from generator.wasm.context import LocalResponse
from generator.wasm.pairs import decode_pairs
from generator.wasm.state import HostState, HttpCall, served

REQUIRED_HEADERS: Final = frozenset((b":method", b":path", b":authority"))


class StreamCalls(HostState):
    """Local responses, streams, HTTP calls."""

    @served
    def proxy_send_local_response(
        self, code: int, details: bytes, body: bytes, pairs: bytes, grpc_status: int
    ) -> int:
        context = self.context
        if context.is_root or context.is_network:
            return Status.OK
        if context.local_response is None:
            context.local_response = LocalResponse(
                code,
                details.replace(b" ", b"_"),
                body,
                tuple(decode_pairs(pairs)),
                grpc_status,
            )
        return Status.OK

    @served
    def proxy_continue_stream(self, stream: int) -> int:
        if stream > max(StreamType):
            return Status.BAD_ARGUMENT
        self.context.continued.append(stream)
        return Status.OK

    @served
    def proxy_close_stream(self, stream: int) -> int:
        if stream > max(StreamType):
            return Status.BAD_ARGUMENT
        self.context.closed.append(stream)
        return Status.OK

    @served
    def proxy_set_effective_context(self, context_id: int) -> int:
        if context_id not in self.contexts:
            return Status.BAD_ARGUMENT
        self.effective = context_id
        return Status.OK

    @served
    def proxy_done(self) -> int:
        if self.effective not in self.pending_done:
            return Status.NOT_FOUND
        self.pending_done.remove(self.effective)
        self.finished.append(self.effective)
        return Status.OK

    @served
    def proxy_http_call(
        self,
        cluster: bytes,
        headers: bytes,
        body: bytes,
        trailers: bytes,
        timeout_ms: int,
    ) -> tuple[int, int]:
        listed = tuple(decode_pairs(headers))
        if cluster not in self.clusters or not dict(listed).keys() >= REQUIRED_HEADERS:
            return Status.BAD_ARGUMENT, 0
        token = len(self.http_calls) + 1
        context = self.context
        root = context.context_id if context.is_root else context.parent_id
        sent_trailers = tuple(decode_pairs(trailers))
        self.http_calls.append(
            HttpCall(token, root, cluster, listed, body, sent_trailers, timeout_ms)
        )
        return Status.OK, token

    @served
    def proxy_get_status(self) -> tuple[int, int, bytes]:
        return Status.OK, *self.call_status

"""The contexts of a VM: what belongs to one root or one stream.

A root context holds a plugin's configuration, a stream context one request or
connection. Hostcalls act on the effective context, which is the one whose callback
runs unless the guest changes it (`proxy_set_effective_context`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

HeaderList = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class LocalResponse:
    """An answer that the guest gives in the upstream's place."""

    code: int
    details: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    grpc_status: int


@dataclass(slots=True)
class FilterState:
    """One value set with `proxy_set_property`, under the name `wasm.<name>`."""

    value: bytes | None
    is_readonly: bool


@dataclass(slots=True)
class Context:
    """A context and what its hostcalls see and leave behind.

    A header map or buffer that is absent is not available in this phase. `connection`
    is shared by all contexts of one downstream connection.
    """

    context_id: int
    parent_id: int = 0
    header_maps: dict[int, HeaderList] = field(default_factory=dict)
    buffers: dict[int, bytes] = field(default_factory=dict)
    filter_state: dict[bytes, FilterState] = field(default_factory=dict)
    connection: dict[bytes, FilterState] = field(default_factory=dict)
    is_network: bool = False
    local_response: LocalResponse | None = None
    continued: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        return self.parent_id == 0 and self.context_id != 0

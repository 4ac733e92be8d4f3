"""Ask the built module: the bytes that Envoy loads answer every question here.

An `Engine` runs one module under wasmtime. Its `judge` is the guest's own export
`pepmesh_judge`; nothing about policy is decided on this side.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from filters.abi import BufferType
from filters.decide import Verdict
from filters.http import Requests
from filters.layout import ANY_INSTANCE, NONE
from filters.party import Kind
from generator.errors import TableError
from generator.overlay.address import OverlayAddress, instance_of
from generator.policy.request import HttpRequest
from generator.table.decode import decode_admitted, decode_table
from generator.table.model import RuleTable
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.pairs import encode_pairs

UNKNOWN_INSTANCE: Final = 0


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a flow, as the guest takes it."""

    kind: Kind
    words: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The guest's answer. Rules are ids or None; it holds up to `last_key`.

    `is_ambiguous`: denied since the request can be read in two ways.
    """

    egress: Verdict
    egress_rule: int | None
    ingress: Verdict
    ingress_rule: int | None
    last_key: int
    is_ambiguous: bool = False

    @property
    def is_allowed(self) -> bool:
        return Verdict.DENY not in (self.egress, self.ingress)


def address_party(address: IPv4Address | IPv6Address) -> Party:
    """Make a party of an address outside the overlay."""
    if isinstance(address, IPv4Address):
        return Party(Kind.IPV4, (0, 0, 0, int(address)))
    return Party(Kind.IPV6, _words(address.packed))


def request_pairs(request: HttpRequest) -> bytes:
    """Lay a request out as the host hands header lists to a filter."""
    pairs = [
        (":authority", request.host),
        (":path", request.path),
        (":method", request.method),
        *request.headers,
    ]
    return encode_pairs((name.encode(), value.encode()) for name, value in pairs)


def _words(packed: bytes) -> tuple[int, int, int, int]:
    first, second, third, fourth = (
        int.from_bytes(packed[i : i + 4], "big") for i in range(0, 16, 4)
    )
    return first, second, third, fourth


class Engine:
    """A built module, ready to answer."""

    def __init__(self, module: bytes) -> None:
        host = Host()
        self._given = host.context.buffers
        self._guest = WasmGuest(module, host)
        self.table_bytes = self._read_table()
        self.table: RuleTable = self._decode()
        self._realms = {w.id: w.realm for w in self.table.workloads}

    def _read_table(self) -> bytes:
        if not self._guest.has("pepmesh_table"):
            raise TableError.of("TBL0003", "the module is not one of pepmesh")
        place = self._guest.call("pepmesh_table")
        assert isinstance(place, tuple)
        data = self._guest.memory.read(*place)
        if not data:
            raise TableError.of("TBL0003", "the module has no rule table inside")
        return data

    def _decode(self) -> RuleTable:
        """Decode the table; the module itself says whether it admits it.

        Raises: TableError TBL0002, with the reason.
        """
        if self._guest.call("pepmesh_table_is_valid"):
            return decode_admitted(self.table_bytes)
        return decode_table(self.table_bytes)

    def member_party(
        self, workload: int, underlay: IPv4Address | IPv6Address | None
    ) -> Party:
        """Make a party of an endpoint; its underlay address may be unknown."""
        instance = UNKNOWN_INSTANCE if underlay is None else instance_of(underlay)
        realm = self._realms[workload]
        address = OverlayAddress(self.table.overlay_id, realm, workload, instance)
        return Party(Kind.MEMBER, _words(address.packed))

    def any_endpoint(self, workload: int) -> Party:
        """Make a party of some endpoint of a workload, not known yet which one."""
        realm = self._realms[workload]
        address = OverlayAddress(self.table.overlay_id, realm, workload, ANY_INSTANCE)
        return Party(Kind.MEMBER, _words(address.packed))

    def judge(
        self,
        source: Party,
        destination: Party,
        key: int,
        *,
        audited: bool = False,
        request: HttpRequest | Requests = Requests.NOT_HTTP,
    ) -> Judgement:
        """Judge one flow; `key` is protocol << 16 | port.

        `audited` asks what would be if audited policies were enforced. `request` is
        what the flow carries: one request, none since it is not HTTP, or SOME or EVERY
        request, which asks whether any, or all, of them would be allowed.
        """
        if isinstance(request, HttpRequest):
            self._given[BufferType.CALL_DATA] = request_pairs(request)
            request = Requests.GIVEN
        answer = self._guest.call(
            "pepmesh_judge",
            int(source.kind),
            *source.words,
            int(destination.kind),
            *destination.words,
            key,
            int(audited),
            int(request),
        )
        assert isinstance(answer, tuple)
        egress, egress_rule, ingress, ingress_rule, last_key, ambiguous = answer
        return Judgement(
            Verdict(egress),
            None if egress_rule == NONE else egress_rule,
            Verdict(ingress),
            None if ingress_rule == NONE else ingress_rule,
            last_key,
            bool(ambiguous),
        )

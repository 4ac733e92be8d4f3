"""The policy enforcement point: the plugin that every Envoy of the overlay loads.

One module, loaded twice per listener: as a network filter it keeps the true address of
a new connection, as an HTTP filter it judges requests. Which one a context is shows in
the callbacks that it gets. Everything uncertain is denied.
"""

from __future__ import annotations

from typing import Final

from filters.abi import (
    MAX_PAIRS_BYTES,
    Action,
    BufferType,
    LogLevel,
    MapType,
    Status,
)
from filters.address import write_address
from filters.admission import table_is_valid
from filters.binding import number_vm
from filters.bundle import BUNDLES, admit
from filters.configuration import CONFIGURATION, Direction, KeyMode, read
from filters.counters import hand_over
from filters.decide import Judgement, judge
from filters.denial import deny
from filters.direction import connection_direction, declare_direction
from filters.environment import environment_value, read_environment
from filters.hostcalls import (
    proxy_get_buffer_bytes,
    proxy_get_header_map_pairs,
    proxy_log,
    proxy_set_tick_period_milliseconds,
)
from filters.http import Requests
from filters.identity import find_workload, own_address
from filters.inbound import judge_again, judge_inbound, recognise
from filters.lang import (
    Buffer,
    View,
    Words,
    embedded,
    export,
    on_fault,
    u32,
)
from filters.layout import NONE
from filters.outbound import judge_outbound
from filters.party import Party
from filters.peer import declare_properties, store_connection
from filters.proofs import SLOTS
from filters.reasons import Reason
from filters.request import REQUEST, scan
from filters.roots import (
    ADDRESS_TEXTS,
    ADDRESSES,
    ROOTS,
    TEXT_BYTES,
    add_context,
    drop_bundle,
    find_root,
    new_serial,
    remove_context,
    root_of_stream,
)
from filters.strict import start_nonce

TICK_MS: Final = 1000

OWN = Words(4)
OWN_TEXT = Buffer(39)

SOURCE = Party()
DESTINATION = Party()
ANSWER = Judgement()


# --- life cycle ------------------------------------------------------------------


@export
def proxy_on_context_create(context_id: u32, parent: u32) -> None:
    add_context(context_id, parent)


@export
def proxy_on_delete(context_id: u32) -> None:
    if find_root(context_id) != NONE:
        hand_over()
    remove_context(context_id)


@export
def proxy_on_tick(context_id: u32) -> None:
    hand_over()


@export
def proxy_on_configure(context_id: u32, size: u32) -> u32:
    """Accept a configuration whole, or refuse it with a line in the log."""
    if not table_is_valid():
        return refuse(b"the rule table is missing, damaged or of another version")
    number = find_root(context_id)
    if number == NONE or context_id == 0:
        return refuse(b"too many plugin contexts")
    status, text = proxy_get_buffer_bytes(BufferType.PLUGIN_CONFIGURATION, 0, size)
    if size == 0 or status != Status.OK or len(text) != size:
        return refuse(b"the plugin configuration is missing")
    if not read(text):
        return refuse(b"the plugin configuration is not what this filter reads")
    return configure(number, text)


def configure(number: u32, text: View) -> u32:
    root = ROOTS[number]
    slot = admit_bundle(text)
    if slot == NONE:
        return refuse(b"the key bundle is missing or does not fit this module")
    if CONFIGURATION.key_mode != KeyMode.PLAIN and not start_nonce():
        return refuse(b"the host has no random numbers for strict keys")
    drop_bundle(root)
    root.bundle = slot
    root.serial = new_serial()
    root.direction = CONFIGURATION.direction
    root.takes_any_address = CONFIGURATION.takes_any_address
    root.key_mode = CONFIGURATION.key_mode
    root.workload = find_workload(text)
    if root.workload == NONE or not own_address(text, root.workload, OWN):
        root.workload = NONE
        proxy_log(LogLevel.WARN, b"pepmesh: no identity: everything will be denied")
    elif root.workload != BUNDLES[slot].workload:
        return refuse(b"the key bundle is for another workload")
    else:
        keep_address(number)
    declare_properties()
    declare_direction()
    number_vm()
    proxy_set_tick_period_milliseconds(TICK_MS)
    root.is_ready = True
    return 1


def admit_bundle(text: View) -> u32:
    facts = CONFIGURATION
    if facts.bundle_end != 0:
        return admit(text[facts.bundle : facts.bundle_end])
    ok, variables = read_environment()
    if not ok:
        return NONE
    name = text[facts.bundle_env : facts.bundle_env_end]
    found, value = environment_value(variables, name)
    return admit(value) if found else NONE


def keep_address(number: u32) -> None:
    write_address(OWN, OWN_TEXT)
    ADDRESS_TEXTS.put(u32(number * TEXT_BYTES), OWN_TEXT[0:39])
    for i in range(4):
        ADDRESSES[u32(number * 4 + i)] = OWN[i]


def refuse(why: View) -> u32:
    proxy_log(LogLevel.ERROR, b"pepmesh: configuration refused:")
    proxy_log(LogLevel.ERROR, why)
    return 0


# --- traffic ---------------------------------------------------------------------


@export
def proxy_on_new_connection(context_id: u32) -> u32:
    """As a network filter: keep who is really there. Nothing is decided here."""
    store_connection(context_id)
    return Action.CONTINUE


@export
def proxy_on_request_headers(context_id: u32, headers: u32, end_of_stream: u32) -> u32:
    REQUEST.is_grpc = False
    status, pairs = proxy_get_header_map_pairs(MapType.REQUEST_HEADERS)
    if status != Status.OK or len(pairs) < 4:
        return deny(Direction.UNKNOWN, Reason.REQUEST_UNREADABLE, NONE)
    scan(pairs)
    number = root_of_stream(context_id)
    if number == NONE:
        return deny(Direction.UNKNOWN, Reason.NOT_CONFIGURED, NONE)
    root = ROOTS[number]
    direction = root.direction
    if direction != Direction.OUTBOUND:
        slot = recognise(number, pairs)
        if slot != SLOTS:
            return judge_again(number, slot, pairs)
    if direction == Direction.UNKNOWN:
        direction = connection_direction()
    if root.workload == NONE:
        return deny(direction, Reason.NO_IDENTITY, NONE)
    if direction == Direction.INBOUND:
        return judge_inbound(number, pairs, context_id)
    if direction == Direction.OUTBOUND:
        return judge_outbound(number, pairs)
    return deny(Direction.UNKNOWN, Reason.DIRECTION_UNKNOWN, NONE)


@on_fault
def deny_on_fault(context_id: u32, fault: u32) -> u32:
    """The filter failed: refuse the configuration, deny the request."""
    if context_id == 0 or find_root(context_id) != NONE:
        return 0
    return deny(Direction.UNKNOWN, Reason.FAULT, NONE)


# --- answers ---------------------------------------------------------------------


@export
def pepmesh_judge(
    source_kind: u32,
    source0: u32,
    source1: u32,
    source2: u32,
    source3: u32,
    destination_kind: u32,
    destination0: u32,
    destination1: u32,
    destination2: u32,
    destination3: u32,
    key: u32,
    audited: u32,
    requests: u32,
) -> tuple[u32, u32, u32, u32, u32, u32]:
    """Answer a question about policy, with the code and the table that enforce it.

    Envoy does not call this; `pepmesh explain` and its like do. Parties and key as in
    filters/decide.py; the headers of a given request are in the call data. Returns
    egress verdict and rule, ingress verdict and rule, the last key with the same
    answer, and whether the request was ambiguous. An invalid table denies.
    """
    if not table_is_valid():
        return 2, NONE, 2, NONE, key, 0
    pairs: View = b""
    if requests == Requests.GIVEN:
        _, pairs = proxy_get_buffer_bytes(BufferType.CALL_DATA, 0, MAX_PAIRS_BYTES)
        scan(pairs)
    SOURCE.kind = source_kind
    SOURCE.word0 = source0
    SOURCE.word1 = source1
    SOURCE.word2 = source2
    SOURCE.word3 = source3
    DESTINATION.kind = destination_kind
    DESTINATION.word0 = destination0
    DESTINATION.word1 = destination1
    DESTINATION.word2 = destination2
    DESTINATION.word3 = destination3
    judge(SOURCE, DESTINATION, key, audited != 0, requests, pairs, ANSWER)
    return (
        ANSWER.egress,
        ANSWER.egress_rule,
        ANSWER.ingress,
        ANSWER.ingress_rule,
        ANSWER.last_key,
        1 if ANSWER.is_ambiguous else 0,
    )


@export
def pepmesh_table() -> View:
    """The embedded rule table, for `pepmesh inspect`."""
    return embedded(b"table")


@export
def pepmesh_table_is_valid() -> bool:
    """Tell whether this filter admits its own rule table."""
    return table_is_valid()

"""Connections known to be a sender's own: a question to the host, and nothing to read.

Port, certificate and real address of a connection never change. Whether a source agrees
with them is checked when its first request comes in (filters/inbound.py), and that it
does is then kept as a property of the connection, named after source and port, and
empty: the host looks it up and copies no value into the guest, which is three quarters
of what reading a property costs. Each request asks whether it is there. What the guest
remembers only says what to ask for; the answer is the host's.

A name that was not declared lives as long as the context that sets it, so it has to be
set by the connection's network filter, whose context lives as long as the connection.
The first request does so on its behalf, as contexts of one VM may. That they are of one
VM is known by a random number; where they are not (plugins with environments of their
own, or a module that is newer than the connection), nothing is kept, and every request
reads what is known of the connection.
"""

from __future__ import annotations

from typing import Final

from filters.abi import Errno, Status
from filters.address import ADDRESS_TEXT_BYTES
from filters.hostcalls import (
    proxy_get_property,
    proxy_set_effective_context,
    proxy_set_property,
)
from filters.lang import Buffer, View, u8, u32
from filters.wasi import random_get

PREFIX: Final = b"pepmesh_from"
PREFIX_BYTES: Final = 12
SOURCE_AT: Final = PREFIX_BYTES + 5
NAME_BYTES: Final = SOURCE_AT + ADDRESS_TEXT_BYTES
VM_BYTES: Final = 8

LETTER_A: Final = 97

NAME = Buffer(NAME_BYTES)
VM = Buffer(VM_BYTES)

has_number: bool = False


def number_vm() -> None:
    """Draw the number of this VM, once; without one nothing is ever bound."""
    global has_number
    if not has_number:
        has_number = random_get(VM, VM_BYTES) == Errno.SUCCESS


def is_of_this_vm(number: View) -> bool:
    return has_number and number == VM[0:VM_BYTES]


def is_bound(source: View, port: u32, takes_any_address: bool) -> bool:
    """Tell whether this request's connection was found to be the source's own."""
    status, _ = proxy_get_property(binding_name(source, port, takes_any_address))
    return status == Status.OK


def bind(
    network_context: u32,
    own_context: u32,
    source: View,
    port: u32,
    takes_any_address: bool,
) -> bool:
    """Keep that a connection is the source's own; False if the host would not."""
    name = binding_name(source, port, takes_any_address)
    if proxy_set_effective_context(network_context) != Status.OK:
        return False
    status = proxy_set_property(name, b"")
    proxy_set_effective_context(own_context)
    return status == Status.OK


def binding_name(source: View, port: u32, takes_any_address: bool) -> View:
    """The name of what was checked: the address too ("p"), or not ("a")."""
    NAME.put(0, PREFIX)
    NAME[PREFIX_BYTES] = u8(LETTER_A if takes_any_address else LETTER_A + 15)
    for i in range(4):
        NAME[PREFIX_BYTES + 1 + i] = u8(LETTER_A + ((port >> (i * 4)) & 15))
    NAME.put(SOURCE_AT, source)
    return NAME[0:NAME_BYTES]

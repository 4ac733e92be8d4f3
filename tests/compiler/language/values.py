"""Locals, globals, constants, several results, inlining."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.abi import MAX_PAIRS, GrpcStatus
from filters.abi import MAX_PAIRS as RENAMED
from filters.lang import Buffer, View, export, i32, inline, on_fault, u8, u16, u32, u64

BASE: Final = 10
DOUBLE: Final = BASE * 2
SMALL: Final[u8] = 200
NEGATIVE: Final = -5
FLAG: Final = BASE > 5
MASK: Final = u32(~0)
NAME: Final = b"pep" + b"mesh"
NAME_BYTES: Final = len(NAME)
"""A text below a constant documents it."""

SQUARES: Final[tuple[u32, ...]] = (0, 1, 4, 9, 16, 25, 36, BASE * BASE)
BYTES: Final[tuple[u8, ...]] = (1, 2, 250)
WIDE: Final[tuple[u64, ...]] = (1, 18446744073709551615)
SIGNED: Final[tuple[i32, ...]] = (-1, 2, -3)
PAIRS: Final[tuple[u16, ...]] = (65535, 1)

counter: u32 = 3
big: u64 = 0xFFFFFFFFFFFFFFFF
below: i32 = -7
flag: bool = True
high: u32 = 0xFFFFFFFF

SCRATCH = Buffer(DOUBLE - 4)


class Color(IntEnum):
    """Members are constants."""

    RED = 1
    GREEN = BASE
    BLUE = BASE + 1


@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(1000 + number)


# --- constants -----------------------------------------------------------------------


@export
def constants() -> tuple[u32, u32, i32, bool, u32, u32]:
    """
    () -> 20, 200, 4294967291, 1, 4294967295, 7
    """
    return DOUBLE, SMALL, NEGATIVE, FLAG, MASK, NAME_BYTES


@export
def enums(a: u32) -> i32:
    """
    (1) -> 1
    (2) -> 10
    (3) -> 4294967295
    """
    if a == GrpcStatus.CANCELLED:
        return Color.RED
    return Color.GREEN if a == GrpcStatus.UNKNOWN else GrpcStatus.NONE


@export
def imported_names() -> tuple[u32, u32]:
    """
    () -> 1024, 1024
    """
    return MAX_PAIRS, RENAMED


@export
def element(i: u32) -> u32:
    """
    (3) -> 9
    (7) -> 100
    (8) -> fault 2
    (4294967295) -> fault 2
    """
    return SQUARES[i]


@export
def elements_of_all_sizes(i: u32) -> tuple[u32, u64, i32, u32, u32]:
    """
    (0) -> 1, 1, 4294967295, 65535, 8
    (1) -> 2, 18446744073709551615, 2, 1, 8
    """
    return BYTES[i], WIDE[i], SIGNED[i], PAIRS[i], len(SQUARES)


@export
def known_element() -> u32:
    """
    () -> 286
    """
    return u32(SQUARES[6] + BYTES[2])


# --- locals --------------------------------------------------------------------------


@export
def declared_only(a: u32) -> u32:
    """
    (1) -> 10
    (2) -> 20
    """
    x: u32
    if a == 1:
        x = 10
    else:
        a = 7
        x = 20
    return x


@export
def swapped(a: u32, b: u32) -> tuple[u32, u32]:
    """
    (1, 2) -> 2, 1
    """
    a, b = b, a
    return a, b


@export
def parameter_assigned(a: u32) -> u32:
    """
    (5) -> 16
    """
    a = u32(a + 1)
    a = u32(a + 10)
    return a + u8(0) if a < 100 else 0


@export
def augmented(a: u32) -> u32:
    """
    (5) -> 1
    (255) -> 15
    """
    a &= 255
    a >>= 4
    a |= 1
    a ^= 0
    a %= 16
    return a


@export
def discarded() -> u32:
    """
    () -> 2
    """
    _, second, _ = three()
    _ = second
    return second


def three() -> tuple[u32, u32, u64]:
    return 1, 2, 3


@export
def widened_results() -> u64:
    """
    () -> 6
    """
    a: u64 = 0
    b: u64 = 0
    a, b, c = three()
    return u64(a + b + c)


@export
def pass_results_on() -> tuple[u32, u32, u64]:
    """
    () -> 1, 2, 3
    """
    return three()


@export
def reused_loop_variable() -> u32:
    """
    () -> 9
    """
    total: u32 = 0
    for i in range(3):
        total = u32(total + i)
    for i in range(4):
        total = u32(total + i)
    return total


# --- globals -------------------------------------------------------------------------


@export
def globals_start() -> tuple[u32, u64, i32, bool, u32]:
    """
    () -> 3, 18446744073709551615, 4294967289, 1, 4294967295
    """
    return counter, big, below, flag, high


@export
def globals_change(a: u32) -> u32:
    """
    (4) -> 14
    """
    global counter, flag
    counter = a
    flag = not flag
    add_to_counter(10)
    result = counter
    counter = 3
    flag = not flag
    return result


def add_to_counter(a: u32) -> None:
    global counter
    counter = u32(counter + a)


@export
def global_read_before_call() -> u32:
    """
    () -> 3
    """
    global counter
    counter = 1
    total = u32(counter + add_and_return(1))
    counter = 3
    return total


def add_and_return(a: u32) -> u32:
    add_to_counter(a)
    return counter


# --- inlining: as if called ----------------------------------------------------------


@inline
def clamp(a: u32, limit: u32) -> u32:
    if a > limit:
        return limit
    return a


@inline
def bump(a: u32) -> u32:
    a = u32(a + 1)
    for _ in range(2):
        a = u32(a + 1)
    return a


@inline
def note(a: u32) -> None:
    global counter
    if a == 0:
        return
    counter = u32(counter + a)


@inline
def both(a: u32) -> tuple[u32, u32]:
    if a == 0:
        return 5, 6
    return a, u32(a + 1)


@inline
def resets_parameter(n: u32) -> u32:
    turns: u32 = 0
    while n > 0:
        turns = u32(turns + n)
        n = 0
    return turns


@export
def parameter_reset_in_loop(a: u32) -> u32:
    """
    (7) -> 14
    (0) -> 0
    """
    doubled = resets_parameter(a)
    while a > 0:
        doubled = u32(doubled + clamp(a, 100))
        a = 0
    return doubled


@inline
def constant_local(a: u32, b: u32) -> u32:
    x: u32 = 1
    x = b if a == 1 else u32(b + x)
    y = x
    return y if y != 77 else 0


@export
def argument_makes_local_constant(a: u32) -> u32:
    """
    (1) -> 10
    (2) -> 11
    """
    y = twice(5)
    if a == 1:
        return y
    return constant_local(a, y)


def twice(a: u32) -> u32:
    return u32(a + a)


def ratio(a: u32, b: u32) -> u32:
    return a // b


@export
def inlined(a: u32) -> u32:
    """
    (5) -> 28
    (200) -> 408
    """
    return u32(clamp(a, 100) + bump(a) + twice(bump(clamp(a, 50))) - 1)


@export
def inlined_effects(a: u32) -> u32:
    """
    (0) -> 14
    (4) -> 17
    """
    global counter
    counter = 1
    note(a)
    note(0)
    x, y = both(a)
    result = u32(counter + x + y + 2)
    counter = 3
    return u32(result + (1 if a == 4 else 0) * 1)


@export
def argument_is_evaluated_once() -> u32:
    """
    () -> 4
    """
    global counter
    counter = 1
    result = twice(add_and_return(1))
    counter = 3
    return result


@export
def arguments_in_order() -> u32:
    """
    () -> 6
    """
    global counter
    counter = 10
    result = minus(add_and_return(10), add_and_return(-6 + 10))
    counter = 3
    return result


def minus(a: u32, b: u32) -> u32:
    return u32(a - b) if a > b else u32(b - a + 2)


@export
def inlined_fault(a: u32) -> u32:
    """
    (2) -> 5
    (0) -> fault 3
    """
    return u32(twice(ratio(5, a)) + 1)


@export
def inlined_in_loop(n: u32) -> u32:
    """
    (4) -> 18
    """
    total: u32 = 0
    for i in range(n):
        total = u32(total + bump(i))
    return total


@export
def keyword_arguments(a: u32) -> u32:
    """
    (7) -> 3
    """
    return ratio(a, b=2)


# --- views as values -----------------------------------------------------------------


@export
def chosen_view(a: u32) -> u32:
    """
    (0) -> 5
    (1) -> 2
    """
    text: View = b"zero!" if a == 0 else NAME[0:2]
    return len(text)


def parts(text: View) -> tuple[u32, View, View]:
    return len(text), text[0:1], text[1:]


@export
def views_returned() -> u32:
    """
    () -> 7111
    """
    size, head, tail = parts(b"pepmesh")
    assert head == b"p" and tail == b"epmesh"
    return u32(size * 1000 + tail[0] + len(head) + len(tail) + 3)

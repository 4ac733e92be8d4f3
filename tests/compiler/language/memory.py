"""Views, buffers, words, records, pools, and what happens past their ends."""

from __future__ import annotations

from typing import Final

from filters.lang import (
    Buffer,
    Pool,
    View,
    Words,
    embedded,
    export,
    i32,
    i64,
    load_u16,
    load_u32,
    load_u32_be,
    load_u64,
    on_fault,
    record,
    scratch,
    u8,
    u16,
    u32,
    u64,
)

TEXT: Final = b"\x01\x02\x03\x04\x05\x06\x07\x08\xff"
BUFFER = Buffer(16)
OTHER = Buffer(16)
WORDS = Words(4)


@record
class Item:
    """Fields of every type; `wide` makes a gap before it."""

    flag: bool = True
    small: u8 = 7
    half: u16 = 0
    word: u32 = 0xFFFFFFFF
    low: i32 = -5
    wide: u64 = 0
    low_wide: i64 = -6
    last: bool = False


@record
class Zero:
    a: u32 = 0
    b: u8 = 0


ITEMS = Pool(Item, 3)
ZEROS = Pool(Zero, 5)
SINGLE = Zero()


@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(1000 + number)


# --- scratch -------------------------------------------------------------------------


@export
def scratch_byte(size: u32, at: u32) -> u32:
    """
    (16, 15) -> 0
    (16, 15) -> 0
    (16, 16) -> fault 2
    (0, 0) -> fault 2
    """
    area = scratch(size)
    before = area[at]
    area[at] = 255
    return before


@export
def scratch_areas(size: u32) -> tuple[u32, u32, u32, u32]:
    """
    (1) -> 1, 1, 2, 0
    (9) -> 9, 9, 2, 0
    """
    one = scratch(size)
    other = scratch(size)
    fill_scratch(one, 1)
    fill_scratch(other, 2)
    fill_scratch(scratch(size), 3)
    sum: u32 = 0
    for i in range(len(one)):
        sum = u32(sum + one[i])
    return len(one), sum, other[u32(size - 1)], len(other[size:])


def fill_scratch(area: Buffer, value: u8) -> None:
    for i in range(len(area)):
        area[i] = value


@export
def view_of_scratch(a: u32, b: u32) -> u64:
    """
    (1, 2) -> 8589934593
    """
    return load_u64(written_to_scratch(a, b), 0)


def written_to_scratch(a: u32, b: u32) -> View:
    area = scratch(12)
    area.put_u32(0, a)
    area.put_u32(4, b)
    return area[0:8]


# --- views ---------------------------------------------------------------------------


def view(start: u32, stop: u32) -> View:
    return TEXT[start:stop]


@export
def byte_of_constant(i: u32) -> u32:
    """
    (0) -> 1
    (8) -> 255
    (9) -> fault 2
    """
    return TEXT[i]


@export
def byte_of_view(start: u32, stop: u32, i: u32) -> u32:
    """
    (2, 5, 0) -> 3
    (2, 5, 2) -> 5
    (2, 5, 3) -> fault 2
    (5, 2, 0) -> fault 2
    (0, 100, 8) -> 255
    """
    return view(start, stop)[i]


@export
def known_byte_of_view(start: u32, stop: u32) -> u32:
    """
    (2, 5) -> 5
    (2, 4) -> fault 2
    """
    part = view(start, stop)
    return part[2]


@export
def byte_at_wide(i: u64) -> u32:
    """
    (1) -> 2
    (4294967296) -> fault 2
    (18446744073709551615) -> fault 2
    """
    return TEXT[i]


@export
def lengths(start: u32, stop: u32) -> tuple[u32, u32, u32]:
    """
    (2, 5) -> 3, 7, 5
    (5, 2) -> 0, 4, 2
    (100, 200) -> 0, 0, 9
    (0, 4294967295) -> 9, 9, 9
    """
    return len(TEXT[start:stop]), len(TEXT[start:]), len(TEXT[:stop])


@export
def wide_bounds(start: u64, stop: u64) -> u32:
    """
    (4294967296, 4294967297) -> 0
    (0, 18446744073709551615) -> 9
    """
    return len(TEXT[start:stop])


@export
def slice_of_slice(a: u32, b: u32) -> u32:
    """
    (1, 3) -> 5
    (5, 3) -> 999
    """
    inner = TEXT[2:8][a:b]
    return u32(inner[0] + 1) if len(inner) > 0 else 999


@export
def view_walk(stop: u32) -> u32:
    """
    (3) -> 6
    (9) -> 291
    """
    total: u32 = 0
    text = TEXT[0:stop]
    for i in range(len(text)):
        total = u32(total + text[i])
    at: u32 = 0
    while at < len(text):
        total = u32(total + text[at] - text[at])
        at = u32(at + 1)
    return total


@export
def view_shrinks(start: u32) -> u32:
    """
    (0) -> 9
    (7) -> 2
    """
    text = TEXT[start:9]
    turns: u32 = 0
    while len(text) > 0:
        text = text[1:]
        turns = u32(turns + 1)
    return turns


@export
def shrunk_in_loop() -> u32:
    """
    () -> fault 2
    """
    text = TEXT[0:9]
    total: u32 = 0
    for i in range(len(text)):
        total = u32(total + text[i])
        text = text[0:4]
    return total


@export
def index_grows_after_test(i: u32) -> u32:
    """
    (3) -> 5
    (8) -> fault 2
    (9) -> 0
    """
    text = TEXT[0:9]
    if i < len(text):
        i = u32(i + 1)
        return text[i]
    return 0


@export
def guarded(i: u32) -> u32:
    """
    (3) -> 4
    (9) -> 0
    (4294967295) -> 0
    """
    text = TEXT[0:]
    if i >= len(text) or text[i] == 77:
        return 0
    return text[i] if i < len(text) and text[i] > 0 else 5


@export
def equal(start: u32, stop: u32) -> u32:
    """
    (0, 0) -> 4
    (0, 8) -> 1
    (0, 9) -> 2
    (1, 2) -> 8
    """
    text = view(start, stop)
    result: u32 = 0
    if text == b"\x01\x02\x03\x04\x05\x06\x07\x08":
        result = 1
    if text == TEXT:
        result = u32(result + 2)
    if text == b"":
        result = u32(result + 4)
    if text != b"\x01" and text != TEXT[0:8] and len(text) < 9 and len(text) > 0:
        result = u32(result + 8)
    return result


@export
def last_byte_differs(n: u32) -> bool:
    """
    (16) -> 1
    (15) -> 1
    (0) -> 0
    """
    BUFFER.put(0, b"0123456789abcdef")
    OTHER.put(0, b"0123456789abcdef")
    if n > 0:
        OTHER[u32(n - 1)] = 0
    different = BUFFER[0:n] != OTHER[0:n]
    clear()
    return different


# --- loads ---------------------------------------------------------------------------


@export
def loads(at: u32) -> tuple[u32, u32, u64, u32]:
    """
    (0) -> 513, 67305985, 578437695752307201, 16909060
    (1) -> 770, 84148994, 18376946001920656130, 33752069
    """
    return (
        load_u16(TEXT, at),
        load_u32(TEXT, at),
        load_u64(TEXT, at),
        load_u32_be(TEXT, at),
    )


@export
def load_past_end(at: u32) -> u32:
    """
    (5) -> 4278716166
    (6) -> fault 2
    (4294967292) -> fault 2
    (4294967295) -> fault 2
    """
    return load_u32(TEXT, at)


@export
def load_from_view(start: u32, stop: u32, at: u32) -> u32:
    """
    (1, 5, 0) -> 84148994
    (1, 4, 0) -> fault 2
    (1, 5, 1) -> fault 2
    (1, 5, 4294967293) -> fault 2
    """
    part = view(start, stop)
    return load_u32(part, at)


@export
def load_at_known_place(stop: u32) -> u32:
    """
    (6) -> 100992003
    (5) -> fault 2
    """
    return load_u32(view(2, stop), 0)


@export
def load_wide_place(at: u64) -> u64:
    """
    (1) -> 18376946001920656130
    (2) -> fault 2
    (4294967297) -> fault 2
    """
    return load_u64(TEXT, at)


@export
def nothing_embedded() -> u32:
    """
    () -> 0
    """
    return len(embedded(b"absent"))


@export
def byte_of_nothing() -> u32:
    """
    () -> fault 2
    """
    return embedded(b"absent")[0]


# --- buffers -------------------------------------------------------------------------


def clear() -> None:
    for i in range(len(BUFFER)):
        BUFFER[i] = 0


@export
def bytes_written(i: u32, value: u32) -> tuple[u32, u32]:
    """
    (3, 258) -> 2, 0
    (15, 255) -> 255, 0
    """
    BUFFER[i] = u8(value)
    written = BUFFER[i]
    clear()
    return written, BUFFER[i]


@export
def write_past_end(i: u32) -> u32:
    """
    (15) -> 1
    (16) -> fault 2
    """
    BUFFER[i] = 0
    return 1


@export
def masked_index(i: u32) -> u32:
    """
    (35) -> 9
    """
    BUFFER[i & 15] = 9
    value = BUFFER[3]
    clear()
    return value


@export
def view_aliases_buffer() -> u32:
    """
    () -> 9
    """
    text = BUFFER[2:6]
    BUFFER[3] = 9
    seen = text[1]
    clear()
    return seen


@export
def copies(offset: u32, size: u32) -> u32:
    """
    (0, 9) -> 1
    (7, 9) -> 0
    (8, 9) -> fault 2
    (16, 0) -> 0
    (17, 0) -> fault 2
    (4294967295, 1) -> fault 2
    """
    BUFFER.put(offset, TEXT[0:size])
    first = BUFFER[0]
    clear()
    return first


@export
def overlapping_copy() -> tuple[u32, u32]:
    """
    () -> 67305985, 100992002
    """
    BUFFER.put(0, TEXT)
    BUFFER.put(1, BUFFER[0:6])
    one = load_u32(BUFFER[1:5], 0)
    BUFFER.put(3, BUFFER[4:7])
    two = load_u32(BUFFER[2:6], 0)
    clear()
    return one, two


@export
def words_put(offset: u32, value: u32) -> u32:
    """
    (0, 4294967295) -> 4294967295
    (12, 7) -> 7
    (13, 7) -> fault 2
    (4294967293, 7) -> fault 2
    """
    BUFFER.put_u32(offset, value)
    read = load_u32(BUFFER[0:16], offset)
    clear()
    return read


@export
def buffer_parameter(i: u32) -> u32:
    """
    (2) -> 44
    (16) -> fault 2
    """
    fill(BUFFER, i, 33)
    fill(OTHER, i, 11)
    total = u32(BUFFER[i] + OTHER[i])
    fill(BUFFER, i, 0)
    fill(OTHER, i, 0)
    return total


def fill(target: Buffer, index: u32, value: u8) -> None:
    assert len(target) == 16
    target[index] = value


@export
def augmented_element(i: u32) -> u32:
    """
    (4) -> 250
    """
    BUFFER[i] = 255
    BUFFER[i] ^= 5
    result = BUFFER[i]
    BUFFER[i] = 0
    return result


@export
def value_before_index() -> u32:
    """
    () -> 5
    """
    WORDS[moved(1)] = moved(2)
    result = u32(WORDS[3] + 3)
    WORDS[3] = 0
    SINGLE.a = 0
    return result


def moved(step: u32) -> u32:
    """The value of an assignment is computed before its index."""
    SINGLE.a = u32(SINGLE.a + step)
    return SINGLE.a


@export
def value_faults_before_index(i: u32, d: u32) -> u32:
    """
    (0, 1) -> 1
    (9, 1) -> fault 2
    (9, 0) -> fault 3
    """
    WORDS[i] = 1 // d
    WORDS[i] = 0
    return 1


# --- words ---------------------------------------------------------------------------


@export
def words(i: u32, value: u32) -> u32:
    """
    (3, 4294967295) -> 4294967295
    (4, 1) -> fault 2
    (1073741824, 1) -> fault 2
    """
    WORDS[i] = value
    read = WORDS[i]
    WORDS[i] = 0
    return read


@export
def words_parameter(i: u32) -> u32:
    """
    (1) -> 41
    (4) -> fault 2
    """
    put(WORDS, i, 41)
    result = get(WORDS, i)
    put(WORDS, i, 0)
    return result


def put(target: Words, index: u32, value: u32) -> None:
    for i in range(len(target)):
        if i == index:
            target[i] = value


def get(source: Words, index: u32) -> u32:
    return source[index]


# --- records -------------------------------------------------------------------------


@export
def defaults(i: u32) -> tuple[bool, u32, u32, u32, i32, u64, i64, bool]:
    """
    (0) -> 1, 7, 0, 4294967295, 4294967291, 0, 18446744073709551610, 0
    (2) -> 1, 7, 0, 4294967295, 4294967291, 0, 18446744073709551610, 0
    """
    item = ITEMS[i]
    return (
        item.flag,
        item.small,
        item.half,
        item.word,
        item.low,
        item.wide,
        item.low_wide,
        item.last,
    )


@export
def fields_are_apart(i: u32) -> u32:
    """
    (0) -> 7
    (4) -> 7
    (5) -> fault 2
    """
    zero = ZEROS[i]
    zero.a = 0xFFFFFFFF
    zero.b = 7
    others: u32 = 0
    for j in range(len(ZEROS)):
        if j != i:
            others = u32(others + ZEROS[j].a + ZEROS[j].b)
    result = u32(ZEROS[i].b + others)
    zero.a = 0
    zero.b = 0
    return result


@export
def record_parameter(i: u32) -> u32:
    """
    (2) -> 9
    """
    set_a(ZEROS[i], 8)
    set_a(SINGLE, 1)
    result = u32(ZEROS[i].a + SINGLE.a)
    set_a(ZEROS[i], 0)
    set_a(SINGLE, 0)
    return result


def set_a(target: Zero, value: u32) -> None:
    target.a = value


def find(a: u32) -> Zero:
    for i in range(len(ZEROS)):
        if ZEROS[i].a == a:
            return ZEROS[i]
    return SINGLE


@export
def record_result() -> u32:
    """
    () -> 3
    """
    ZEROS[3].a = 44
    ZEROS[3].b = 3
    result = find(44).b
    chosen = ZEROS[3] if result == 3 else SINGLE
    chosen.a = 0
    chosen.b = 0
    return result


@export
def augmented_field(i: u32) -> u32:
    """
    (1) -> 6
    """
    ZEROS[i].b = 4
    ZEROS[i].b |= 2
    result = ZEROS[i].b
    ZEROS[i].b &= 0
    return result


@export
def field_of_bool(a: u32) -> bool:
    """
    (0) -> 1
    (5) -> 0
    """
    item = ITEMS[1]
    item.last = a == 0
    result = item.last
    item.last = False
    return result


@export
def record_fault_is_first(i: u32, d: u32) -> u32:
    """
    (9, 0) -> fault 3
    (9, 1) -> fault 2
    """
    ZEROS[i].a = 1 // d
    return 0

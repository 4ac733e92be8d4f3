"""Packed rows: the sections of a table as numbers, to bytes and back.

Where in the pipeline: `encode.py -> sections of rows -> bytes`. What columns mean is
not known here; filters/layout.py says which section has which, and how they are packed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice
from operator import lshift
from typing import Final, NamedTuple

from filters.layout import (
    CHECKSUM_AT,
    COLUMNS,
    COLUMNS_AT,
    FIRST_COLUMN,
    FIRST_ROW_AT,
    MAGIC,
    MAX_TABLE_BYTES,
    PADDING_BYTES,
    ROWS_AT,
    SECTIONS,
    VERSION,
    Column,
    Section,
)
from generator.errors import TableError
from generator.memory import Kept

Row = tuple[int, ...]
"""One field per column of the section."""

Sections = Mapping[Section, Sequence[Row]]
"""Rows by section, without STRINGS. A section that is missing has no rows."""

ROWS_AT_ONCE: Final = 8
"""So many rows fill whole bytes, however many bits a row has."""


def columns_of(section: Section) -> range:
    return range(FIRST_COLUMN[section], FIRST_COLUMN[section + 1])


class Bits(NamedTuple):
    """The bits of a section: those of each column, and the packed rows."""

    widths: tuple[int, ...]
    data: bytes


PackingMemory = Kept[Section, Sequence[Row], Bits]
"""Packed sections, by their rows."""


def pack(
    sections: Sections,
    strings: bytes,
    flags: int,
    words: tuple[int, int],
    memory: PackingMemory | None = None,
) -> bytes:
    """Lay out a whole table; `words` are the first two of its overlay's addresses.

    Raises: TableError TBL0001 if it is larger than a filter reads.
    """
    memory = PackingMemory() if memory is None else memory
    memory.start()
    counts: list[int] = []
    places: list[bytes] = []
    body = bytearray()
    for section in Section:
        rows = sections.get(section, ())
        count = len(rows)
        if section is Section.STRINGS:
            bits, count = Bits((8,), strings), len(strings)
        elif rows:
            bits = memory.get(section, rows, pack_rows)
        else:
            bits = Bits((0,) * len(columns_of(section)), b"")
        at = (FIRST_ROW_AT + len(body)) * 8
        stride = sum(bits.widths)
        for width in bits.widths:
            places.append(struct.pack("<IHH", at, stride, width))
            at += width
        counts.append(count)
        body += bits.data
    body += bytes(PADDING_BYTES)
    body += bytes(-len(body) % 4)
    size = FIRST_ROW_AT + len(body)
    if size > MAX_TABLE_BYTES:
        raise TableError.of("TBL0001", f"a table of {size} bytes")
    header = struct.pack("<IIIIQII", MAGIC, VERSION, size, flags, 0, *words)
    directory = struct.pack(f"<{SECTIONS}I", *counts) + b"".join(places)
    assert len(header) == ROWS_AT and len(header + directory) == FIRST_ROW_AT
    return sealed(header + directory + body)


def sealed(table: bytes) -> bytes:
    """Give a table the checksum that fits it."""
    whole = bytearray(table)
    struct.pack_into("<Q", whole, CHECKSUM_AT, checksum(table))
    return bytes(whole)


def checksum(table: bytes) -> int:
    """Return what `filters.admission.checksum` does, which is slow under CPython."""
    state = 0xCBF29CE484222325
    words = table[:CHECKSUM_AT] + table[CHECKSUM_AT + 8 :]
    for (word,) in struct.iter_unpack("<I", words):
        state = ((state ^ word) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return state


def pack_rows(rows: Sequence[Row]) -> Bits:
    """Pack the rows of a section, of which there are some.

    So many at a time as fill whole bytes are one number: the sum of all their fields,
    each shifted to its place. Columns without bits are zeros, and left out.
    """
    columns = list(zip(*rows, strict=True))
    widths = tuple(max(column).bit_length() for column in columns)
    starts = [0, *accumulate(widths)]
    stride = starts.pop()
    used = [number for number, width in enumerate(widths) if width]
    if not used:
        return Bits(widths, b"")
    fields = chain.from_iterable(zip(*(columns[n] for n in used), strict=True))
    shifts = [row * stride + starts[n] for row in range(ROWS_AT_ONCE) for n in used]
    packed = bytearray()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, len(rows) - start)
        some = islice(fields, count * len(used))
        bits = sum(map(lshift, some, shifts))
        packed += bits.to_bytes((count * stride + 7) // 8, "little")
    return Bits(widths, bytes(packed))


class Packed:
    """A table that a filter has admitted, section by section."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._counts = struct.unpack_from(f"<{SECTIONS}I", data, ROWS_AT)
        self._places = [
            struct.unpack_from("<IHH", data, COLUMNS_AT + column * 8)
            for column in range(COLUMNS)
        ]

    def rows(self, section: Section) -> list[Row]:
        return list(self._rows(section))

    def _rows(self, section: Section) -> Iterator[Row]:
        columns = columns_of(section)
        widths = [self._places[column][2] for column in columns]
        start, stride, _ = self._places[columns[0]]
        for at in range(start, start + self._counts[section] * stride, stride or 1):
            piece = self._data[at >> 3 : (at + stride + 7) >> 3]
            bits = int.from_bytes(piece, "little") >> (at & 7)
            row = []
            for width in widths:
                row.append(bits & ((1 << width) - 1))
                bits >>= width
            yield tuple(row)
        if stride == 0:
            yield from [(0,) * len(columns)] * self._counts[section]

    def row_bits(self, section: Section) -> int:
        return int(self._places[FIRST_COLUMN[section]][1])

    def strings(self) -> bytes:
        start = self._places[Column.STRING_BYTE][0] >> 3
        return self._data[start : start + self._counts[Section.STRINGS]]

    def sizes(self) -> dict[str, int]:
        """Bytes by section, the header and directory first."""
        starts = [self._places[FIRST_COLUMN[s]][0] >> 3 for s in Section]
        stops = [*starts[1:], len(self._data)]
        sizes = {"header": starts[0]}
        for section, start, stop in zip(Section, starts, stops, strict=True):
            sizes[section.name.lower()] = stop - start
        return sizes

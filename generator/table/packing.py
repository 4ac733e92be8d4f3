"""Packed rows: the sections of a table as numbers, to bytes and back.

Where in the pipeline: `encode.py -> sections of rows -> bytes`. What columns mean is
not known here; filters/layout.py says which section has which, and how they are packed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

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

Row = tuple[int, ...]
"""One field per column of the section."""

Sections = Mapping[Section, Sequence[Row]]
"""Rows by section, without STRINGS. A section that is missing has no rows."""

ROWS_AT_ONCE: Final = 8
"""So many rows fill whole bytes, however many bits a row has."""


def columns_of(section: Section) -> range:
    return range(FIRST_COLUMN[section], FIRST_COLUMN[section + 1])


def pack(
    sections: Sections, strings: bytes, flags: int, words: tuple[int, int]
) -> bytes:
    """Lay out a whole table; `words` are the first two of its overlay's addresses.

    Raises: TableError TBL0001 if it is larger than a filter reads.
    """
    counts: list[int] = []
    places: list[bytes] = []
    body = bytearray()
    for section in Section:
        rows = sections.get(section, ())
        if section is Section.STRINGS:
            widths, data, count = [8], strings, len(strings)
        else:
            widths, count = _widths(rows, len(columns_of(section))), len(rows)
            data = _pack_rows(rows, widths)
        at = (FIRST_ROW_AT + len(body)) * 8
        for width in widths:
            places.append(struct.pack("<IHH", at, sum(widths), width))
            at += width
        counts.append(count)
        body += data
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


def _widths(rows: Sequence[Row], columns: int) -> list[int]:
    if not rows:
        return [0] * columns
    return [max(column).bit_length() for column in zip(*rows, strict=True)]


def _pack_rows(rows: Sequence[Row], widths: Sequence[int]) -> bytes:
    stride = sum(widths)
    packed = bytearray()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        bits = shift = 0
        for row in rows[start : start + ROWS_AT_ONCE]:
            for number, width in zip(row, widths, strict=True):
                bits |= number << shift
                shift += width
        packed += bits.to_bytes((shift + 7) // 8, "little")
    assert len(packed) == (len(rows) * stride + 7) // 8
    return bytes(packed)


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

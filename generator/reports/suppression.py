"""Findings that somebody has looked at and does not want to hear of again.

    POL0016                        that code, everywhere
    LNT00*                         all codes that look so
    LNT0003=NetworkPolicy shop/*   that code, in these objects

Warnings and remarks can be suppressed, and of the errors POL0041, with which pepmesh
can go on: an error that makes a model impossible is still there if nobody hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from generator.codes import CODES
from generator.reports.objects import ObjectName

SUPPRESSIBLE_ERRORS: Final = frozenset({"POL0041"})


@dataclass(frozen=True, slots=True)
class Suppression:
    """`kind` and `name` are patterns, `*` if nothing was said."""

    text: str
    code: str
    kind: str = "*"
    name: str = "*"

    def matches(self, code: str, found: ObjectName | None) -> bool:
        if not fnmatchcase(code, self.code) or not can_suppress(code):
            return False
        if found is None:
            return (self.kind, self.name) == ("*", "*")
        full = f"{found.namespace}/{found.name}" if found.namespace else found.name
        return fnmatchcase(found.kind, self.kind) and fnmatchcase(full, self.name)


def can_suppress(code: str) -> bool:
    return CODES[code].severity != "error" or code in SUPPRESSIBLE_ERRORS


def parse_suppression(text: str) -> Suppression:
    """Read what a person wrote. Raises: ValueError with what is wrong."""
    code, has_object, rest = text.partition("=")
    meant = [known for known in CODES if fnmatchcase(known, code)]
    if not meant:
        raise ValueError(f'"{code}" is no code; `pepmesh codes` lists them')
    if not any(map(can_suppress, meant)):
        raise ValueError(f"{code} is an error, which cannot be suppressed")
    if not has_object:
        return Suppression(text, code)
    kind, _, name = rest.strip().partition(" ")
    if not kind or not name.strip():
        message = f'"{rest}" is no object: write it like NetworkPolicy shop/cart'
        raise ValueError(message)
    return Suppression(text, code, kind, name.strip())

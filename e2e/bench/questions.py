"""Questions as the bench's guest reads them, and the module that asks them.

Two rings of one length: one asks about a few rules only, so that what they need stays
in the nearest caches; the other asks about rules all over the table. Both are in random
order, so that no branch predictor learns them by heart.

    row of 52 bytes: source kind and address (5 words), destination (5 words), key,
                     offset and size of the request's headers (0, 0: not HTTP)
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from e2e.bench.decision_cases import Question
from e2e.bench.rule_meshes import Name
from filters.party import Kind
from generator.analysis.engine import Party, address_party, request_pairs
from generator.compiler import Program, link_program, prepare_file
from generator.compiler.passes import ALL_PASSES, Passes
from generator.overlay.address import OverlayAddress
from generator.overlay.model import Overlay
from generator.table.ports import key_of

RING: Final = 4096
FEW: Final = 16
STEP_BUDGET: Final = 2**31 - 1

_GUEST: Final = Path(__file__).parent / "guest" / "decisions.py"
_ROW_BYTES: Final = 52


FEW_AT: Final = 0
ALL_AT: Final = RING


def encode_rings(
    overlay: Overlay, about: Callable[[int], Question], rules: int, seed: int = 1
) -> bytes:
    """Lay both rings out: `RING` rows from `FEW_AT` on, as many from `ALL_AT` on."""
    choose = random.Random(seed)
    hot = [choose.randrange(rules) for _ in range(FEW)]
    numbers = [choose.choice(hot) for _ in range(RING)]
    numbers += [choose.randrange(rules) for _ in range(RING)]
    return _encode(overlay, [about(number) for number in numbers])


def _encode(overlay: Overlay, questions: Sequence[Question]) -> bytes:
    rows = bytearray()
    texts = bytearray()
    base = len(questions) * _ROW_BYTES
    parties = Parties(overlay)
    for question in questions:
        source = (
            parties.member(question.source)
            if isinstance(question.source, tuple)
            else address_party(question.source)
        )
        destination = parties.member(question.destination)
        place = 0, 0
        if question.request is not None:
            pairs = request_pairs(question.request)
            place = base + len(texts), len(pairs)
            texts += pairs
        key = key_of(question.protocol, question.port)
        words = (source.kind, *source.words, destination.kind, *destination.words)
        rows += struct.pack("<13I", *words, key, *place)
    return bytes(rows + texts)


@dataclass(frozen=True, slots=True)
class Parties:
    """Endpoints of an overlay, as the guest takes them."""

    overlay: Overlay

    def member(self, name: Name) -> Party:
        """One endpoint of a workload, whose own address is not known."""
        (workload,) = self.overlay.workloads_by_name[name]
        address = OverlayAddress(self.overlay.id, workload.realm, workload.id, 0)
        return Party(Kind.MEMBER, struct.unpack(">4I", address.packed))


def make_module(table: bytes, questions: bytes, passes: Passes = ALL_PASSES) -> bytes:
    """Link the bench's guest around a table and the questions about it."""
    embedded = {"table": table, "questions": questions}
    guest = _guest(passes)
    return link_program(guest, embedded=embedded, step_budget=STEP_BUDGET).to_bytes()


@cache
def _guest(passes: Passes) -> Program:
    return prepare_file(_GUEST, passes=passes)

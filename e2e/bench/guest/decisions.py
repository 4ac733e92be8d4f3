"""Judge a ring of questions again and again, inside the module.

Linked with a rule table and with questions (e2e/bench/questions.py has their layout),
so that what is measured is `judge` and nothing of a host. `look_on` does all but that:
it reads the same questions and scans the same headers, and is what to subtract.
"""

from __future__ import annotations

from typing import Final

from filters.admission import table_is_valid
from filters.decide import Judgement, Verdict, judge
from filters.http import Requests
from filters.lang import View, embedded, export, load_u32, u32
from filters.party import Party
from filters.request import scan

QUESTION_BYTES: Final = 52

SOURCE = Party()
DESTINATION = Party()
ANSWER = Judgement()


@export
def is_ready() -> bool:
    """Tell whether the filter would admit the table; ask this before anything else."""
    return table_is_valid()


@export
def judge_ring(first: u32, rows: u32, count: u32) -> u32:
    """Judge a ring of `rows` questions from `first` on; return how many are allowed."""
    allowed: u32 = 0
    for i in range(count):
        at = u32((first + i % rows) * QUESTION_BYTES)
        pairs = read_question(at)
        requests: u32 = Requests.GIVEN if len(pairs) > 0 else Requests.NOT_HTTP
        key = load_u32(embedded(b"questions"), u32(at + 40))
        judge(SOURCE, DESTINATION, key, False, requests, pairs, ANSWER)
        if ANSWER.egress != Verdict.DENY and ANSWER.ingress != Verdict.DENY:
            allowed = u32(allowed + 1)
    return allowed


@export
def look_on(first: u32, rows: u32, count: u32) -> u32:
    """Do what `judge_ring` does, but for judging."""
    seen: u32 = 0
    for i in range(count):
        at = u32((first + i % rows) * QUESTION_BYTES)
        pairs = read_question(at)
        key = load_u32(embedded(b"questions"), u32(at + 40))
        seen = u32(seen ^ key ^ SOURCE.word2 ^ DESTINATION.word2 ^ len(pairs))
    return seen


def read_question(at: u32) -> View:
    """Set both parties; return the headers, or nothing if it is no request."""
    questions = embedded(b"questions")
    read_party(SOURCE, at)
    read_party(DESTINATION, u32(at + 20))
    start = load_u32(questions, u32(at + 44))
    pairs = questions[start : u32(start + load_u32(questions, u32(at + 48)))]
    if len(pairs) > 0:
        scan(pairs)
    return pairs


def read_party(party: Party, at: u32) -> None:
    questions = embedded(b"questions")
    party.kind = load_u32(questions, at)
    party.word0 = load_u32(questions, u32(at + 4))
    party.word1 = load_u32(questions, u32(at + 8))
    party.word2 = load_u32(questions, u32(at + 12))
    party.word3 = load_u32(questions, u32(at + 16))

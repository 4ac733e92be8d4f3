"""The decision: may this source reach this destination on this port, by which rule?

A *party* is a member (kind MEMBER, four words of its overlay address) or an address
outside the overlay. `judge` asks the source's egress subject about the destination
and the destination's ingress subject about the source; both must allow.

Cost: a handful of look-ups per direction, whatever the number of rules and workloads.
Within a tier a rule with a lower id wins; rule ids are the order of evaluation. Only
subjects of the normal tier have a default rule: they are isolated in that direction.
"""

from __future__ import annotations

from enum import IntEnum

from filters.http import Requests
from filters.lang import View, record, u32
from filters.layout import (
    ACTION_ACCEPT,
    ACTION_PASS,
    ANY_INSTANCE,
    AUDITED_SUBJECTS,
    FLAG_AUDITED,
    FLAGS_AT,
    NONE,
    NORMAL_TIER,
    TIERS,
    Column,
)
from filters.lookup import find_rule
from filters.party import Kind, Party
from filters.reasons import Reason
from filters.search import SEARCH
from filters.table import field, header_word, optional, rule_action, workload_row


class Verdict(IntEnum):
    NO_MATCH = 0  # not judged in this direction: the subject is outside the overlay
    ALLOW = 1
    DENY = 2


@record
class Judgement:
    """Both directions, and the last key for which the answer is the same.

    `is_ambiguous`: the side that denies, the source's first, does so since the request
    can be read in two ways.
    """

    egress: u32 = 0
    egress_rule: u32 = 0xFFFFFFFF
    ingress: u32 = 0
    ingress_rule: u32 = 0xFFFFFFFF
    last_key: u32 = 0
    is_ambiguous: bool = False


# Whether a rule of the direction being judged could not be decided, and it mattered.
is_ambiguous: bool = False


def judge(
    source: Party,
    destination: Party,
    key: u32,
    audited: bool,
    requests: u32,
    pairs: View,
    out: Judgement,
) -> None:
    """Judge a flow; `key` is protocol << 16 | port. The table must be valid.

    `audited` asks what would be if audited policies were enforced. `requests` is one of
    Requests; GIVEN: `pairs` are the headers that `filters.request.scan` has seen.
    """
    SEARCH.last_key = key | 0xFFFF
    out.is_ambiguous = False
    out.egress = Verdict.ALLOW
    out.egress_rule = NONE
    out.ingress = Verdict.ALLOW
    out.ingress_rule = NONE
    shift: u32 = AUDITED_SUBJECTS if audited and is_audited() else 0
    if not is_same_endpoint(source, destination):
        out.egress = Verdict.NO_MATCH
        if source.kind == Kind.MEMBER:
            subjects = u32(Column.WORKLOAD_EGRESS + shift)
            out.egress = judge_side(source, subjects, destination, key, requests, pairs)
            out.egress_rule = SEARCH.best
            out.is_ambiguous = is_ambiguous
        out.ingress = Verdict.NO_MATCH
        if destination.kind == Kind.MEMBER:
            subjects = u32(Column.WORKLOAD_INGRESS + shift)
            out.ingress = judge_side(
                destination, subjects, source, key, requests, pairs
            )
            out.ingress_rule = SEARCH.best
            if out.egress != Verdict.DENY:
                out.is_ambiguous = is_ambiguous
    out.last_key = SEARCH.last_key


def denial_reason(judgement: Judgement) -> u32:
    """Why a judgement denies, or ALLOWED. An outsider's own side is not judged."""
    if judgement.egress != Verdict.DENY and judgement.ingress != Verdict.DENY:
        return Reason.ALLOWED
    if judgement.is_ambiguous:
        return Reason.REQUEST_AMBIGUOUS
    if judgement.egress == Verdict.DENY:
        return Reason.EGRESS_DENIED
    return Reason.INGRESS_DENIED


def denying_rule(judgement: Judgement) -> u32:
    """The rule of the side that denies, the source's first."""
    if judgement.egress == Verdict.DENY:
        return judgement.egress_rule
    return judgement.ingress_rule


def is_audited() -> bool:
    """Tell whether the table has policies that are audited, not enforced."""
    return (header_word(FLAGS_AT) & FLAG_AUDITED) != 0


def is_same_endpoint(source: Party, destination: Party) -> bool:
    """A pod is always allowed to reach itself by its own address."""
    return (
        source.kind == Kind.MEMBER
        and destination.kind == Kind.MEMBER
        and source.word2 == destination.word2
        and source.word3 == destination.word3
        and source.word3 != 0
        and source.word3 != ANY_INSTANCE
    )


def judge_side(
    own: Party, subjects: u32, peer: Party, key: u32, requests: u32, pairs: View
) -> u32:
    """Judge one direction, tier by tier; leave what decided it in SEARCH.best.

    `subjects` is the column of a member's Admin subject; the other tiers follow.
    Admin rules come first, then NetworkPolicy, which is final for whom it isolates,
    then Baseline; Pass leaves the tier; what nobody speaks about is allowed.
    """
    global is_ambiguous
    is_ambiguous = False
    SEARCH.best = NONE
    row = workload_row(own.word2)
    if row == NONE:
        return Verdict.DENY
    realm = field(Column.WORKLOAD_REALM, row)
    for tier in range(TIERS):
        subject = optional(u32(subjects + tier), row)
        if subject != NONE:
            SEARCH.best = NONE
            SEARCH.unsure = NONE
            SEARCH.passes = NONE
            find_rule(subject, realm, peer, key, requests, pairs)
            verdict = judge_tier(tier, optional(Column.SUBJECT_DEFAULT, subject))
            if verdict != Verdict.NO_MATCH and not is_passed_by_some(verdict, requests):
                return verdict
            SEARCH.best = NONE
    return Verdict.ALLOW


def judge_tier(tier: u32, default_rule: u32) -> u32:
    """What one tier says; NO_MATCH: nothing, so that the next one is asked.

    What can be read in two ways is a denial where rules are tried in order. Rules of
    the normal tier add up: there such a rule grants nothing, and others still may.
    """
    global is_ambiguous
    is_unsure = SEARCH.unsure != NONE
    if tier != NORMAL_TIER and is_unsure and SEARCH.unsure <= SEARCH.best:
        SEARCH.best = SEARCH.unsure
        is_ambiguous = True
        return Verdict.DENY
    if SEARCH.best == NONE:
        if default_rule == NONE:
            return Verdict.NO_MATCH
        SEARCH.best = default_rule
        is_ambiguous = is_unsure
        return Verdict.DENY
    action = rule_action(SEARCH.best)
    if action == ACTION_PASS:
        return Verdict.NO_MATCH
    return Verdict.ALLOW if action == ACTION_ACCEPT else Verdict.DENY


def is_passed_by_some(verdict: u32, requests: u32) -> bool:
    """Tell whether later tiers may say otherwise: some requests met a Pass first."""
    if SEARCH.passes >= SEARCH.best:
        return False
    if requests == Requests.SOME:
        return verdict == Verdict.DENY
    return verdict == Verdict.ALLOW

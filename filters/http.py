"""Rules that ask about the request: chains of alternatives behind a port range.

A chain has all rules that hold on one stretch of ports. Each rule is one *alternative*
per entry of its `http`, or a single one without any condition, and they stand in the
order of evaluation. The paths of all alternatives are one automaton over segments: the
state in which a path ends lists the alternatives whose path it meets, so that only
those few are looked at, however many rules there are.

What cannot be decided, since it can be read in two ways (a path, or a header that is
repeated with values that differ), is noted as `unsure`; filters/decide.py denies it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import View, u32
from filters.layout import (
    ACTION_ACCEPT,
    ACTION_DENY,
    HEADER_PREFIX,
    HEADER_PRESENT,
    NONE,
    Column,
)
from filters.pairs import pair_count, pairs_start, read_pair
from filters.path import NORMAL, SLASH, normalise
from filters.request import REQUEST
from filters.search import SEARCH
from filters.table import (
    field,
    field_in,
    next_slot,
    optional,
    place_of,
    rule_action,
    slot,
    text,
)
from filters.text import index_of, starts_with, text_hash


class Requests(IntEnum):
    """What a flow carries. SOME and EVERY ask about all requests that can be read in
    one way only: is one of them allowed, are all of them?"""

    NOT_HTTP = 0
    GIVEN = 1
    SOME = 2
    EVERY = 3


class Match(IntEnum):
    NO = 0
    YES = 1
    UNSURE = 2


# The path of REQUEST: not looked at yet, in normal form, or readable in two ways.
UNREAD: Final = 0
READ: Final = 1
AMBIGUOUS: Final = 2


def consider_chain(chain: u32, requests: u32, pairs: View) -> None:
    """Take the first rule of a chain that matches, if it comes first."""
    if requests == Requests.NOT_HTTP:
        SEARCH.best = min(SEARCH.best, optional(Column.CHAIN_PLAIN, chain))
    elif requests != Requests.GIVEN:
        estimate(Column.CHAIN_FIRST_ALTERNATIVE, chain, requests)
    elif read_path(pairs) == AMBIGUOUS:
        look_through(Column.CHAIN_FIRST_DOUBT, chain, pairs, True)
    else:
        state = end_state(field(Column.CHAIN_STATE, chain))
        if state != NONE:
            look_through(Column.STATE_FIRST_ACCEPTED, state, pairs, False)


def look_through(column: u32, row: u32, pairs: View, is_ambiguous: bool) -> None:
    """Take the first alternative of a slice that holds; note those in doubt."""
    first = field(column, row)
    for i in range(field(u32(column + 1), row)):
        at = u32(first + i)
        rule = field(Column.ALTERNATIVE_RULE, at)
        if rule >= SEARCH.best:
            return
        if is_ambiguous and field(Column.ALTERNATIVE_HAS_PATHS, at) != 0:
            SEARCH.unsure = min(SEARCH.unsure, rule)
        else:
            match = meets(optional(Column.ALTERNATIVE_CONDITION, at), pairs)
            if match == Match.YES:
                SEARCH.best = rule
                return
            if match == Match.UNSURE:
                SEARCH.unsure = min(SEARCH.unsure, rule)


def estimate(column: u32, row: u32, requests: u32) -> None:
    """Take the first rule of a slice that some, or every, request meets."""
    wanted: u32 = ACTION_ACCEPT if requests == Requests.SOME else ACTION_DENY
    first = field(column, row)
    for i in range(field(u32(column + 1), row)):
        at = u32(first + i)
        rule = field(Column.ALTERNATIVE_RULE, at)
        if rule >= SEARCH.best:
            return
        is_certain = (
            field(Column.ALTERNATIVE_HAS_PATHS, at) == 0
            and optional(Column.ALTERNATIVE_CONDITION, at) == NONE
        )
        action = rule_action(rule)
        if is_certain or action == wanted:
            SEARCH.best = rule
            return
        if action != ACTION_ACCEPT and action != ACTION_DENY:
            SEARCH.passes = min(SEARCH.passes, rule)


# --- paths -----------------------------------------------------------------------


def read_path(pairs: View) -> u32:
    """Bring the path of REQUEST to its normal form, once per request."""
    if REQUEST.path_state == UNREAD:
        ok, size = normalise(pairs[REQUEST.path : REQUEST.path_end])
        REQUEST.path_state = READ if ok else AMBIGUOUS
        REQUEST.path_bytes = size
    return REQUEST.path_state


def was_asked_about() -> bool:
    """Tell whether a rule asked about REQUEST: others may be judged otherwise."""
    return REQUEST.path_state != UNREAD


def end_state(first: u32) -> u32:
    """Walk the automaton along the normal form, segment by segment; NONE: nowhere."""
    path = NORMAL[0 : REQUEST.path_bytes]
    state = first
    at: u32 = 1
    while state != NONE:
        end = index_of(path, SLASH, at)
        state = next_state(state, path[at:end])
        if end == len(path):
            return state
        at = u32(end + 1)
    return NONE


def next_state(state: u32, segment: View) -> u32:
    """Follow the edge of a segment, or the one for all others."""
    first = field(Column.STATE_FIRST_EDGE, state)
    slots = field(Column.STATE_EDGES, state)
    place = slot(text_hash(segment), slots)
    segments = place_of(Column.EDGE_SEGMENT)
    for _ in range(slots):
        at = u32(first + place)
        found = field_in(segments, at)
        if found == 0:
            break
        if text(u32(found - 1)) == segment:
            return optional(Column.EDGE_STATE, at)
        place = next_slot(place, slots)
    return optional(Column.STATE_DEFAULT, state)


# --- conditions ------------------------------------------------------------------


def meets(condition: u32, pairs: View) -> u32:
    """Compare the request with the methods, hosts and headers of a condition."""
    if condition == NONE:
        return Match.YES
    if not is_method(condition, pairs) or not is_host(condition, pairs):
        return Match.NO
    return meets_headers(condition, pairs)


def is_method(condition: u32, pairs: View) -> bool:
    """Tell whether the method is one of those asked for, if any are."""
    count = field(Column.CONDITION_METHODS, condition)
    first = field(Column.CONDITION_FIRST_METHOD, condition)
    method = pairs[REQUEST.method : REQUEST.method_end]
    for i in range(count):
        if text(field(Column.CONDITION_TEXT, u32(first + i))) == method:
            return True
    return count == 0


def is_host(condition: u32, pairs: View) -> bool:
    """Tell whether the host is one of those asked for, if any are."""
    count = field(Column.CONDITION_HOSTS, condition)
    first = field(Column.CONDITION_FIRST_HOST, condition)
    host = without_port(pairs[REQUEST.host : REQUEST.host_end])
    for i in range(count):
        if host_meets(host, text(field(Column.CONDITION_TEXT, u32(first + i)))):
            return True
    return count == 0


def without_port(authority: View) -> View:
    """The host of `host:port` or `[v6]:port`, without a dot at its end."""
    end: u32 = 0
    if len(authority) > 0 and authority[0] == 91:
        end = u32(index_of(authority, 93, 0) + 1)
    else:
        end = index_of(authority, 58, 0)
        if end > 0 and authority[0:end][u32(end - 1) : end] == b".":
            end = u32(end - 1)
    return authority[0:end]


def host_meets(host: View, pattern: View) -> bool:
    """Compare without regard to case; `*.` stands for one label or more."""
    if pattern[0:2] != b"*.":
        return len(host) == len(pattern) and is_folded(host, pattern)
    tail = pattern[1 : len(pattern)]
    if len(host) <= len(tail) or host[0:1] == b".":
        return False
    return is_folded(host[u32(len(host) - len(tail)) : len(host)], tail)


def is_folded(given: View, lower: View) -> bool:
    """Compare texts of one length; the second is in lower case."""
    for i in range(len(lower)):
        character: u32 = given[i]
        if 65 <= character <= 90:
            character = u32(character + 32)
        if character != lower[i]:
            return False
    return True


def meets_headers(condition: u32, pairs: View) -> u32:
    """All tests must hold; one that certainly does not outweighs a doubt."""
    result: u32 = Match.YES
    first = field(Column.CONDITION_FIRST_HEADER, condition)
    for i in range(field(Column.CONDITION_HEADERS, condition)):
        match = meets_header(u32(first + i), pairs)
        if match == Match.NO:
            return Match.NO
        if match == Match.UNSURE:
            result = Match.UNSURE
    return result


def meets_header(test: u32, pairs: View) -> u32:
    """Test all values of one header; in doubt if they do not agree."""
    kind = field(Column.HEADER_KIND, test)
    name = text(field(Column.HEADER_NAME, test))
    wanted = text(field(Column.HEADER_VALUE, test))
    found: u32 = 0
    holding: u32 = 0
    at = pairs_start(pairs)
    for i in range(pair_count(pairs)):
        given, value, at = read_pair(pairs, i, at)
        if given == name:
            found = u32(found + 1)
            if value_holds(value, wanted, kind):
                holding = u32(holding + 1)
    if 0 < holding < found:
        return Match.UNSURE
    is_wanted = field(Column.HEADER_IS_NEGATED, test) == 0
    return Match.YES if (holding > 0) == is_wanted else Match.NO


def value_holds(value: View, wanted: View, kind: u32) -> bool:
    if kind == HEADER_PRESENT:
        return True
    if kind == HEADER_PREFIX:
        return starts_with(value, wanted)
    return value == wanted

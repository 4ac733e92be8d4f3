"""Layout of the rule table, version 4: the only home of its numbers.

A table is relational: sections of rows, and a row names others by their number. Rows
are packed: every column has just the bits that its largest value needs, none if all
values are 0. It opens with a header and a directory, little-endian:

    0   magic "PMT1"        16  checksum, low word
    4   version             20  checksum, high word
    8   size in bytes       24  address word 0: fd and the overlay id's first 24 bits
    12  flags               28  address word 1: the id's last 16 bits, shifted up
    32  u32 per section: number of rows
    ..  8 bytes per column: first bit (u32, from the start of the table), bits from one
        row to the next (u16), bits of the column (u16)

Sections follow in order, each from a whole byte on; at the end are 8 bytes of zeros at
least, so that any field can be read as part of 8 bytes. "Optional" numbers are shifted
by one: 0 says that there is none. generator/DESIGN.md has the same as pictures.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from filters.lang import u32

MAGIC: Final = 0x31544D50  # "PMT1"
VERSION: Final = 4
FLAG_IPV4_INSTANCES: Final = 1  # the instance part of an address is an IPv4 address
FLAG_AUDITED: Final = 2  # some policy is audited: counted and logged, not enforced

MAGIC_AT: Final = 0
VERSION_AT: Final = 4
SIZE_AT: Final = 8
FLAGS_AT: Final = 12
CHECKSUM_AT: Final = 16
ADDRESS_WORD0_AT: Final = 24
ADDRESS_WORD1_AT: Final = 28
ROWS_AT: Final = 32

NONE: Final = 0xFFFFFFFF  # no rule, no row, no such thing

# Instead of the instance of a member's address: some endpoint, not known yet which one.
ANY_INSTANCE: Final = 0xFFFFFFFF


class Section(IntEnum):
    """Sections, in file order."""

    STRINGS = 0  # rows are the bytes of all texts
    TEXTS = 1  # a "text" is a row of this section
    LABEL_KEYS = 2  # in bytewise order
    REALMS = 3  # row i describes realm id i + 1
    REALM_SLOTS = 4  # all of it one hashed slice: realms by namespace
    WORKLOADS = 5  # row i describes workload id i + 1
    TARGETS = 6  # a hashed slice per realm, by name
    PORTS = 7  # service ports of targets
    BACKENDS = 8  # workloads behind them
    SUBJECTS = 9  # one row per distinct set of policies of one tier and direction
    PEERS = 10  # a hashed slice per subject: what it says about whom
    RANGES = 11  # port lists
    ADDRESSES4 = 12  # IPv4 address lists
    ADDRESSES6 = 13  # IPv6 address lists
    MEMBER_BLOCKS = 14  # IPv4 ranges that hold members
    RULES = 15  # what a rule id means
    POLICIES = 16  # what a rule's policy is called
    CHAINS = 17  # rules that ask about the request, by stretch of ports
    STATES = 18  # of the automata over the segments of paths
    EDGES = 19  # a hashed slice per state, by segment: the next state
    ALTERNATIVES = 20  # of chains
    CONDITIONS = 21  # what an alternative asks about a request
    CONDITION_TEXTS = 22  # methods and hosts of conditions
    HEADER_TESTS = 23
    PATHS = 24  # for people to read back: a filter has them in the automaton
    INDEXES = 25  # of long lists, by the high bits of what is looked for
    STEPS = 26


SECTIONS: Final = 27


class Column(IntEnum):
    """Columns, by section. Two columns FIRST_X and XS are a slice of rows."""

    STRING_BYTE = 0
    TEXT_FIRST_BYTE = 1
    TEXT_BYTES = 2
    LABEL_KEY_TEXT = 3

    REALM_NAMESPACE = 4  # optional text; none: there is no such realm (any more)
    REALM_FIRST_TARGET = 5
    REALM_TARGETS = 6
    REALM_CLASS = 7
    SLOT_REALM = 8  # realm id, 0: empty slot

    WORKLOAD_REALM = 9  # realm id, 0: there is no such workload (any more)
    WORKLOAD_REVOKED = 10
    WORKLOAD_ACCOUNT = 11  # text
    WORKLOAD_DIGEST0 = 12  # the first 8 bytes of the identity digest, big-endian
    WORKLOAD_DIGEST1 = 13
    WORKLOAD_WIDE = 14  # its classes: what peers are looked up by
    WORKLOAD_LOCAL = 15
    # Optional subjects: two directions of three tiers, then the same as if audited
    # policies were enforced (nothing, if there are no such policies).
    WORKLOAD_INGRESS = 16
    WORKLOAD_INGRESS_NORMAL = 17
    WORKLOAD_INGRESS_BASELINE = 18
    WORKLOAD_EGRESS = 19
    WORKLOAD_EGRESS_NORMAL = 20
    WORKLOAD_EGRESS_BASELINE = 21
    AUDITED_INGRESS = 22
    AUDITED_INGRESS_NORMAL = 23
    AUDITED_INGRESS_BASELINE = 24
    AUDITED_EGRESS = 25
    AUDITED_EGRESS_NORMAL = 26
    AUDITED_EGRESS_BASELINE = 27

    TARGET_ID = 28  # 0: empty slot
    TARGET_KIND = 29
    TARGET_NAME = 30  # text
    TARGET_FIRST = 31  # a service's slice of PORTS, a workload target's of BACKENDS
    TARGET_COUNT = 32
    PORT_KEY = 33  # protocol << 16 | port, of the service
    PORT_NUMBER = 34  # of its backends
    PORT_FIRST_BACKEND = 35
    PORT_BACKENDS = 36
    BACKEND_WORKLOAD = 37  # workload id

    SUBJECT_DEFAULT = 38  # optional rule; none: not isolated, default allow
    SUBJECT_LEVELS = 39  # a bit per level that has peers
    SUBJECT_FIRST_PEER = 40
    SUBJECT_PEERS = 41
    SUBJECT_FIRST_ADDRESS4 = 42
    SUBJECT_ADDRESSES4 = 43
    SUBJECT_INDEX4 = 44  # optional index of that list
    SUBJECT_FIRST_ADDRESS6 = 45
    SUBJECT_ADDRESSES6 = 46
    PEER_KEY = 47  # number << 3 | level; 0: empty slot
    PEER_LIST = 48  # port list

    # A port list is a row of RANGES and those that follow: disjoint, sorted.
    RANGE_FIRST = 49  # keys: protocol << 16 | port
    RANGE_LAST = 50
    RANGE_DECISION = 51  # a rule; from the number of rules on, a chain
    RANGE_LEFT = 52  # rows of the list after this one
    RANGE_INDEX = 53  # optional index of the list that starts here

    # An address list starts at the lowest address.
    ADDRESS4_START = 54
    ADDRESS4_LIST = 55  # optional port list
    ADDRESS6_START0 = 56
    ADDRESS6_START1 = 57
    ADDRESS6_START2 = 58
    ADDRESS6_START3 = 59
    ADDRESS6_LIST = 60
    BLOCK_START = 61
    BLOCK_HOLDS_MEMBERS = 62

    RULE_POLICY = 63
    RULE_NUMBER = 64  # plus one; 0: "the policy isolates and nothing matched"
    RULE_DIRECTION = 65
    RULE_ACTION = 66
    RULE_LINE = 67
    POLICY_KIND = 68
    POLICY_NAMESPACE = 69  # texts
    POLICY_NAME = 70
    POLICY_FILE = 71

    CHAIN_PLAIN = 72  # optional rule for flows that are not HTTP
    CHAIN_STATE = 73  # where its automaton starts
    CHAIN_FIRST_ALTERNATIVE = 74  # all of them, in the order of evaluation
    CHAIN_ALTERNATIVES = 75
    CHAIN_FIRST_DOUBT = 76  # those that count where a path can be read in two ways
    CHAIN_DOUBTS = 77
    STATE_DEFAULT = 78  # optional state for segments without an edge
    STATE_FIRST_EDGE = 79
    STATE_EDGES = 80
    STATE_FIRST_ACCEPTED = 81  # the alternatives whose path ends here
    STATE_ACCEPTED = 82
    EDGE_SEGMENT = 83  # optional text; none: empty slot
    EDGE_STATE = 84  # optional state
    ALTERNATIVE_RULE = 85
    ALTERNATIVE_HAS_PATHS = 86  # some entry of the rule has paths
    ALTERNATIVE_CONDITION = 87  # optional

    CONDITION_FIRST_METHOD = 88
    CONDITION_METHODS = 89
    CONDITION_FIRST_HOST = 90
    CONDITION_HOSTS = 91
    CONDITION_FIRST_HEADER = 92
    CONDITION_HEADERS = 93
    CONDITION_FIRST_PATH = 94
    CONDITION_PATHS = 95
    CONDITION_TEXT = 96
    HEADER_NAME = 97  # texts
    HEADER_VALUE = 98
    HEADER_KIND = 99
    HEADER_IS_NEGATED = 100
    PATH_KIND = 101
    PATH_TEXT = 102

    # An index has a step per value of `(key - base) >> shift`, and one more: the row,
    # from the first of the list on, that the lowest key of the step leads to.
    INDEX_BASE = 103  # keys below lead to the first row
    INDEX_SHIFT = 104
    INDEX_FIRST_STEP = 105
    INDEX_STEPS = 106
    STEP_ROW = 107


COLUMNS: Final = 108
MAX_COLUMN_BITS: Final = 32
COLUMNS_AT: Final = 140  # ROWS_AT + SECTIONS * 4
FIRST_ROW_AT: Final = 1004  # COLUMNS_AT + COLUMNS * 8
PADDING_BYTES: Final = 8
MAX_TABLE_BYTES: Final = 0x10000000  # so that a bit's number fits 32 bits

# The first column of every section, and the end.
FIRST_COLUMN: Final[tuple[u32, ...]] = (
    Column.STRING_BYTE,
    Column.TEXT_FIRST_BYTE,
    Column.LABEL_KEY_TEXT,
    Column.REALM_NAMESPACE,
    Column.SLOT_REALM,
    Column.WORKLOAD_REALM,
    Column.TARGET_ID,
    Column.PORT_KEY,
    Column.BACKEND_WORKLOAD,
    Column.SUBJECT_DEFAULT,
    Column.PEER_KEY,
    Column.RANGE_FIRST,
    Column.ADDRESS4_START,
    Column.ADDRESS6_START0,
    Column.BLOCK_START,
    Column.RULE_POLICY,
    Column.POLICY_KIND,
    Column.CHAIN_PLAIN,
    Column.STATE_DEFAULT,
    Column.EDGE_SEGMENT,
    Column.ALTERNATIVE_RULE,
    Column.CONDITION_FIRST_METHOD,
    Column.CONDITION_TEXT,
    Column.HEADER_NAME,
    Column.PATH_KIND,
    Column.INDEX_BASE,
    Column.STEP_ROW,
    COLUMNS,
)

# Foreign keys: a column, and the section of the rows that it names.
REFERENCES: Final[tuple[u32, ...]] = (
    Column.LABEL_KEY_TEXT,
    Section.TEXTS,
    Column.WORKLOAD_ACCOUNT,
    Section.TEXTS,
    Column.TARGET_NAME,
    Section.TEXTS,
    Column.PEER_LIST,
    Section.RANGES,
    Column.RULE_POLICY,
    Section.POLICIES,
    Column.POLICY_NAMESPACE,
    Section.TEXTS,
    Column.POLICY_NAME,
    Section.TEXTS,
    Column.POLICY_FILE,
    Section.TEXTS,
    Column.CHAIN_STATE,
    Section.STATES,
    Column.ALTERNATIVE_RULE,
    Section.RULES,
    Column.CONDITION_TEXT,
    Section.TEXTS,
    Column.HEADER_NAME,
    Section.TEXTS,
    Column.HEADER_VALUE,
    Section.TEXTS,
    Column.PATH_TEXT,
    Section.TEXTS,
)

# The same for columns whose 0 says that there is none.
OPTIONAL_REFERENCES: Final[tuple[u32, ...]] = (
    Column.REALM_NAMESPACE,
    Section.TEXTS,
    Column.SLOT_REALM,
    Section.REALMS,
    Column.WORKLOAD_REALM,
    Section.REALMS,
    Column.WORKLOAD_INGRESS,
    Section.SUBJECTS,
    Column.WORKLOAD_INGRESS_NORMAL,
    Section.SUBJECTS,
    Column.WORKLOAD_INGRESS_BASELINE,
    Section.SUBJECTS,
    Column.WORKLOAD_EGRESS,
    Section.SUBJECTS,
    Column.WORKLOAD_EGRESS_NORMAL,
    Section.SUBJECTS,
    Column.WORKLOAD_EGRESS_BASELINE,
    Section.SUBJECTS,
    Column.AUDITED_INGRESS,
    Section.SUBJECTS,
    Column.AUDITED_INGRESS_NORMAL,
    Section.SUBJECTS,
    Column.AUDITED_INGRESS_BASELINE,
    Section.SUBJECTS,
    Column.AUDITED_EGRESS,
    Section.SUBJECTS,
    Column.AUDITED_EGRESS_NORMAL,
    Section.SUBJECTS,
    Column.AUDITED_EGRESS_BASELINE,
    Section.SUBJECTS,
    Column.BACKEND_WORKLOAD,
    Section.WORKLOADS,
    Column.SUBJECT_DEFAULT,
    Section.RULES,
    Column.ADDRESS4_LIST,
    Section.RANGES,
    Column.ADDRESS6_LIST,
    Section.RANGES,
    Column.CHAIN_PLAIN,
    Section.RULES,
    Column.STATE_DEFAULT,
    Section.STATES,
    Column.EDGE_SEGMENT,
    Section.TEXTS,
    Column.EDGE_STATE,
    Section.STATES,
    Column.ALTERNATIVE_CONDITION,
    Section.CONDITIONS,
    Column.SUBJECT_INDEX4,
    Section.INDEXES,
    Column.RANGE_INDEX,
    Section.INDEXES,
)

# Slices: the column of the first row, with the number of rows in the next column, and
# the section of the rows. TARGET_FIRST is one too; its section depends on the kind.
SLICES: Final[tuple[u32, ...]] = (
    Column.TEXT_FIRST_BYTE,
    Section.STRINGS,
    Column.REALM_FIRST_TARGET,
    Section.TARGETS,
    Column.PORT_FIRST_BACKEND,
    Section.BACKENDS,
    Column.SUBJECT_FIRST_PEER,
    Section.PEERS,
    Column.SUBJECT_FIRST_ADDRESS4,
    Section.ADDRESSES4,
    Column.SUBJECT_FIRST_ADDRESS6,
    Section.ADDRESSES6,
    Column.CHAIN_FIRST_ALTERNATIVE,
    Section.ALTERNATIVES,
    Column.CHAIN_FIRST_DOUBT,
    Section.ALTERNATIVES,
    Column.STATE_FIRST_EDGE,
    Section.EDGES,
    Column.STATE_FIRST_ACCEPTED,
    Section.ALTERNATIVES,
    Column.CONDITION_FIRST_METHOD,
    Section.CONDITION_TEXTS,
    Column.CONDITION_FIRST_HOST,
    Section.CONDITION_TEXTS,
    Column.CONDITION_FIRST_HEADER,
    Section.HEADER_TESTS,
    Column.CONDITION_FIRST_PATH,
    Section.PATHS,
    Column.INDEX_FIRST_STEP,
    Section.STEPS,
)


class Level(IntEnum):
    """What a subject's peers are looked up by, from wide to narrow."""

    MEMBERS = 1  # every member
    OUTSIDE = 2  # every address outside the overlay
    ANY_ADDRESS = 3  # some endpoint, when it is not known yet which one
    REALM = 4  # by realm id
    REALM_CLASS = 5  # by class of realms, by the selectors of several namespaces
    WIDE = 6  # by class of workloads, by the selectors that cross namespaces
    LOCAL = 7  # by class of workloads, by those of its own namespace


LEVEL_BITS: Final = 3

LONG_LIST: Final = 32  # lists with more rows are worth an index

DIRECTION_SUBJECTS: Final = 3  # columns of a direction: one per tier
AUDITED_SUBJECTS: Final = 6  # columns from a subject to the audited one
TIERS: Final = 3
NORMAL_TIER: Final = 1

TARGET_SERVICE: Final = 0
TARGET_WORKLOAD: Final = 1

# A key is protocol << 16 | port, so that the ports of all protocols are one line.
TCP: Final = 0
UDP: Final = 1
SCTP: Final = 2

INGRESS: Final = 0
EGRESS: Final = 1
ACTION_ACCEPT: Final = 0
ACTION_DENY: Final = 1
ACTION_PASS: Final = 2

PATH_KINDS: Final = 3
HEADER_EXACT: Final = 0
HEADER_PREFIX: Final = 1
HEADER_PRESENT: Final = 2

KIND_NETWORK_POLICY: Final = 1
KIND_CLUSTER_NETWORK_POLICY: Final = 2
KIND_ADMIN_NETWORK_POLICY: Final = 3
KIND_BASELINE_ADMIN_NETWORK_POLICY: Final = 4
KIND_OVERLAY_POLICY: Final = 5

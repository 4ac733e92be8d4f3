"""Layout of the rule table, version 3: the only home of its numbers.

A table is little-endian and made of u32 words unless a row says otherwise. It opens
with a header, then a directory of sections; every offset counts bytes from the
start of the table. generator/DESIGN.md has the same as pictures.

    0   magic "PMT1"        16  checksum, low word
    4   version             20  checksum, high word
    8   size in bytes       24  address word 0: fd and the overlay id's first 24 bits
    12  flags               28  address word 1: the id's last 16 bits, shifted up
    32  directory: per section offset and number of rows
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

MAGIC: Final = 0x31544D50  # "PMT1"
VERSION: Final = 3
HEADER_BYTES: Final = 32
FLAG_IPV4_INSTANCES: Final = 1  # the instance part of an address is an IPv4 address
FLAG_AUDITED: Final = 2  # some policy is audited: counted and logged, not enforced

MAGIC_AT: Final = 0
VERSION_AT: Final = 4
SIZE_AT: Final = 8
FLAGS_AT: Final = 12
CHECKSUM_AT: Final = 16
ADDRESS_WORD0_AT: Final = 24
ADDRESS_WORD1_AT: Final = 28
DIRECTORY_AT: Final = 32

NONE: Final = 0xFFFFFFFF  # no rule, no row, no such thing

# Instead of the instance of a member's address: some endpoint, not known yet which one.
ANY_INSTANCE: Final = 0xFFFFFFFF


class Section(IntEnum):
    """Sections, in file order."""

    STRINGS = 0  # rows are bytes: u16 length, then the text; a "text" is an offset
    LABEL_KEYS = 1  # text; in bytewise order
    REALMS = 2  # realm id, name text
    WORKLOADS = 3  # row i describes workload id i + 1
    IDENTITIES = 4  # open-addressed by digest word 0: digest (4 words, BE), workload id
    TARGETS = 5  # open-addressed by name hash
    PORTS = 6  # service ports of targets
    BACKENDS = 7  # workloads behind a service port
    SUBJECT_SETS = 8  # the subjects of a workload in one direction, by tier
    SUBJECTS = 9  # one row per distinct set of policies of one tier and direction
    PEERS = 10  # open-addressed by (subject, peer): where its port list is
    LISTS = 11  # rows are words: port lists and address lists
    MEMBER_BLOCKS = 12  # words: an IPv4 address list of the ranges that hold members
    RULES = 13  # what a rule id means
    POLICIES = 14  # what a rule's policy is called
    CHAINS = 15  # rules that ask about the request, by stretch of ports
    STATES = 16  # of the automata over the segments of paths
    EDGES = 17  # open-addressed by (state, segment): the next state


SECTIONS: Final = 18
FIRST_ROW_AT: Final = 176  # HEADER_BYTES + SECTIONS * 8

# Workload: realm (low half) and flags (high half), service account text, ingress set,
# egress set, the same two as if audited policies were enforced, wide peer, local peer.
WORKLOAD_BYTES: Final = 32
INGRESS_SET_AT: Final = 8
EGRESS_SET_AT: Final = 12
AUDIT_OFFSET: Final = 8  # from a set to the one with audited policies
WIDE_PEER_AT: Final = 24
LOCAL_PEER_AT: Final = 28
WORKLOAD_PRESENT: Final = 1
WORKLOAD_REVOKED: Final = 2

IDENTITY_BYTES: Final = 20
REALM_BYTES: Final = 8

# Target: id (0: empty slot), kind and realm row (halves), name text, first port row,
# number of port rows. A workload target has one row, whose key is 0: any port.
TARGET_BYTES: Final = 20
TARGET_SERVICE: Final = 1
TARGET_WORKLOAD: Final = 2

# Service port: protocol and port as one key, first backend row, number of backends.
PORT_BYTES: Final = 12
# Backend: workload id, port (0: the port that was asked for).
BACKEND_BYTES: Final = 8

# Subject set: one subject row per tier (NONE: the tier has no policy for it).
SET_BYTES: Final = 12
TIERS: Final = 3
NORMAL_TIER: Final = 1

# Subject: default rule (NONE: not isolated, default allow), port list for any member,
# port list for any address outside, IPv4 address list, IPv6 address list, levels, port
# list for a member of any address. A list offset of 0 means that there is none.
SUBJECT_BYTES: Final = 28
LEVEL_REALM: Final = 1
LEVEL_WIDE: Final = 2
LEVEL_LOCAL: Final = 4

# Peer entry: subject row (NONE: empty slot), peer, port list. A peer is a realm id,
# WIDE_PEERS + the class of a workload by the selectors that cross namespaces, or
# LOCAL_PEERS + its class by those of its own namespace.
PEER_BYTES: Final = 12
WIDE_PEERS: Final = 0x10000
LOCAL_PEERS: Final = 0x80000000

# Port list: number of rows, then rows of first key, last key, rule; disjoint, sorted.
# A key is protocol << 16 | port. Instead of a rule: IS_CHAIN and the row of a chain.
RANGE_BYTES: Final = 12
IS_CHAIN: Final = 0x80000000
TCP: Final = 0
UDP: Final = 1
SCTP: Final = 2

# Address list: number of rows, then rows of a start address (1 word, or 4) and a port
# list (0: none), sorted; the first row starts at the lowest address. In MEMBER_BLOCKS
# the second part is 1 (members live here) or 0.
ADDRESS4_BYTES: Final = 8
ADDRESS6_BYTES: Final = 20

# Rule: policy row, rule number (half), direction (bit 16), action (bits 20 and 21),
# source line.
RULE_BYTES: Final = 12
ACTION_SHIFT: Final = 20
ACTION_ACCEPT: Final = 0
ACTION_DENY: Final = 1
ACTION_PASS: Final = 2
RULE_DEFAULT: Final = 0xFFFF  # rule number of "the policy isolates and nothing matched"
INGRESS: Final = 0
EGRESS: Final = 1

# Chain: rule for flows that are not HTTP (NONE: none), first state, all alternatives,
# and those that count where the path can be read in two ways.
CHAIN_BYTES: Final = 16
# State: the next state for segments without an edge (NONE: no rule is left), and the
# alternatives whose path ends here.
STATE_BYTES: Final = 8
# Edge: state (NONE: empty slot), segment text, next state.
EDGE_BYTES: Final = 12

# Alternatives, in LISTS: number of rows, then rows of rule and condition (0: none), in
# the order of evaluation. HAS_PATHS: some entry of the rule has paths.
ALTERNATIVE_BYTES: Final = 8
HAS_PATHS: Final = 0x80000000
# Condition, in LISTS: numbers of methods, hosts, headers, paths; texts of methods and
# hosts; tests of headers: name text, value text, kind; paths: kind, text. Paths are
# there for people to read back: a filter has them in the automaton.
CONDITION_HEAD_BYTES: Final = 16
PATH_BYTES: Final = 8
PATH_KINDS: Final = 3
HEADER_TEST_BYTES: Final = 12
HEADER_EXACT: Final = 0
HEADER_PREFIX: Final = 1
HEADER_PRESENT: Final = 2
HEADER_NEGATED: Final = 4

# Policy: kind, namespace text, name text, file text.
POLICY_BYTES: Final = 16
KIND_NETWORK_POLICY: Final = 1
KIND_CLUSTER_NETWORK_POLICY: Final = 2
KIND_ADMIN_NETWORK_POLICY: Final = 3
KIND_BASELINE_ADMIN_NETWORK_POLICY: Final = 4
KIND_OVERLAY_POLICY: Final = 5

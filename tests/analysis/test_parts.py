"""The small parts under simulate, explain and inspect."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from filters.layout import Section
from generator.analysis.endpoints import Endpoint
from generator.analysis.key_ranges import keys_text, merge, ports_text, split_keys
from generator.analysis.names import suggest
from generator.analysis.sizes import by_policy, module_parts
from generator.analysis.spans import Atoms, is_for_members, make_spans, starts_of
from generator.policy.model import Protocol
from generator.table.encode import encode_table
from generator.table.packing import Packed
from tests.support.meshes import deployment, mesh_of, namespace, pod, policy
from tests.table.shapes import TABLE

KEYS = st.integers(0, 0x2FFFF)
RANGES = st.tuples(KEYS, KEYS).map(lambda pair: (min(pair), max(pair)))


# --- keys ----------------------


@given(st.lists(st.lists(RANGES, max_size=4), max_size=4), st.lists(KEYS, max_size=5))
def test_merge_is_the_union(
    lists: list[list[tuple[int, int]]], keys: list[int]
) -> None:
    merged = merge(lists)
    edges = [e for ranges in lists for pair in ranges for e in pair]
    for key in [*keys, *edges, *(e + 1 for e in edges), *(e - 1 for e in edges)]:
        wanted = any(a <= key <= b for ranges in lists for a, b in ranges)
        assert any(a <= key <= b for a, b in merged) == wanted
    assert all(one[1] + 1 < two[0] for one, two in pairwise(merged))


@given(st.lists(RANGES, max_size=4))
def test_split_keys_loses_nothing_but_port_0(ranges: list[tuple[int, int]]) -> None:
    keys = merge([ranges])
    back = [
        (number << 16 | first, number << 16 | last)
        for protocol, spans in split_keys(keys)
        for number in (list(Protocol).index(protocol),)
        for first, last in spans
    ]
    for first, last in keys:
        for key in {first, last, (first + last) // 2}:
            assert any(a <= key <= b for a, b in back) == bool(key & 0xFFFF)


def test_how_ports_are_spelt() -> None:
    assert split_keys([(0, 0)]) == []
    assert ports_text([(80, 80), (90, 99)]) == "80,90-99"
    assert keys_text([(0, 0x2FFFF)]) == "all ports"
    assert keys_text([(80, 80), (0x10000, 0x1FFFF)]) == "TCP 80, UDP all ports"


# --- addresses ----------------------


def test_spans_cover_every_address_once() -> None:
    for version, last in ((4, 2**32 - 1), (6, 2**128 - 1)):
        spans = make_spans([0, 5, 256, last], version)
        assert [int(s.first) for s in spans] == [0, 5, 256, last]
        assert [int(s.last) for s in spans] == [4, 255, last - 1, last]
    assert str(make_spans([0], 4)[0]) == "0.0.0.0-255.255.255.255"
    assert starts_of([((0, ()), (9, ())), ((0, ()), (5, ()))]) == [0, 5, 9]


def test_member_ranges() -> None:
    assert is_for_members(TABLE, ip_address("10.0.0.0"))
    assert is_for_members(TABLE, ip_address("10.255.255.255"))
    assert not is_for_members(TABLE, ip_address("9.255.255.255"))
    assert not is_for_members(TABLE, ip_address("11.0.0.0"))
    assert not is_for_members(TABLE, ip_address("::a00:0"))


def test_one_address_stands_for_a_stretch() -> None:
    atoms = Atoms(TABLE)
    inside = [ip_address(f"10.0.0.{n}") for n in range(5, 0, -1)]
    outside, other = ip_address("192.0.2.1"), ip_address("2001:db8::1")
    kept = [ip_address("10.0.0.1"), outside]
    assert atoms.of_member([*inside, outside, other]) == kept
    assert atoms.outside([*inside, other, outside]) == [*kept, other]


def test_addresses_of_members_count_only_if_policy_asks() -> None:
    text = namespace() + pod("a", "10.0.0.1")
    assert Atoms(mesh_of(text).engine.table).of_member([ip_address("10.0.0.1")]) == []


def test_an_endpoint_is_known_by_what_the_filter_sees() -> None:
    assert Endpoint(None) == Endpoint(None, None)
    assert Endpoint(None, ip_address("10.0.0.1")) != Endpoint(None)


# --- names and sizes ----------------------


def test_suggestions() -> None:
    known = ["shop/cart", "shop/cart-db", "ops/cart", "shop/web"]
    assert suggest("cart", known) == "did you mean ops/cart or shop/cart?"
    assert suggest("shop/catr", known).startswith("did you mean shop/cart")
    assert suggest("zzz", known) == ""


def test_bytes_are_attributed_to_policies() -> None:
    ports = ", ".join(f"{{port: {port}}}" for port in range(1, 100, 2))
    text = (
        namespace()
        + deployment("web")
        + policy("big", f"{{podSelector: {{}}, ingress: [{{ports: [{ports}]}}]}}")
        + policy(
            "small",
            "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 1}]}]}",
        )
    )
    built = mesh_of(text).built
    found = by_policy(built.table, built.table_bytes)
    assert [name for name, _ in found] == [
        "NetworkPolicy shop/big",
        "NetworkPolicy shop/small",
    ]
    packed = Packed(built.table_bytes)
    bits = 50 * packed.row_bits(Section.RANGES) + packed.row_bits(Section.PEERS)
    # Members and addresses outside share one list of ports.
    assert dict(found)["NetworkPolicy shop/big"] == (bits + 7) // 8
    parts = module_parts(built.module, built.table_bytes)
    assert sum(size for _, size in parts) == len(built.module)
    assert parts[0][0] == "code"
    assert [size for _, size in parts[1:]] == sorted(
        (size for _, size in parts[1:]), reverse=True
    )


def test_a_table_of_everything_has_sizes() -> None:
    found = by_policy(TABLE, encode_table(TABLE))
    assert found
    assert all(size > 0 for _, size in found)

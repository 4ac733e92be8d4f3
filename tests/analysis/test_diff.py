"""`diff`: what is gained and lost, by which rules, and what is no difference."""

from __future__ import annotations

import pytest

from generator.analysis.diff.access import Kind
from generator.analysis.diff.causes import Half
from generator.analysis.diff.diff import compare
from generator.analysis.diff.sides import member_networks
from tests.support.differences import (
    difference,
    line_of,
    lines_of,
    module_of,
    side_of,
)
from tests.support.meshes import (
    deployment,
    mesh_of,
    namespace,
    pod,
    policy,
    with_revoked,
)

EVERYWHERE = "0.0.0.0-255.255.255.255"
INVENTORY = namespace() + deployment("web") + deployment("cart") + deployment("ads")


def to_cart(rules: str, name: str = "cart-in", more: str = "") -> str:
    """A policy that isolates the cart for ingress."""
    return policy(
        name,
        f"{{podSelector: {{matchLabels: {{app: cart}}}}, ingress: [{rules}]{more}}}",
    )


def from_app(app: str, ports: str = "") -> str:
    selected = f"{{podSelector: {{matchLabels: {{app: {app}}}}}}}"
    return f"{{from: [{selected}]{', ports: [' + ports + ']' if ports else ''}}}"


WEB_80 = INVENTORY + to_cart(from_app("web", "{port: 80}"))


# --- gained and lost ----------------------------------------------------------------


@pytest.mark.parametrize(
    "before, after, expected",
    [
        # Ports: one more, one less, and exactly the ends of a range.
        (
            WEB_80,
            INVENTORY + to_cart(from_app("web", "{port: 80}, {port: 81}")),
            {("gained", "shop/web", "shop/cart", "TCP 81")},
        ),
        (
            INVENTORY + to_cart(from_app("web", "{port: 8000, endPort: 8100}")),
            INVENTORY + to_cart(from_app("web", "{port: 8001, endPort: 8099}")),
            {("lost", "shop/web", "shop/cart", "TCP 8000,8100")},
        ),
        (
            WEB_80,
            INVENTORY + to_cart(from_app("web", "{port: 80, protocol: UDP}")),
            {
                ("lost", "shop/web", "shop/cart", "TCP 80"),
                ("gained", "shop/web", "shop/cart", "UDP 80"),
            },
        ),
        # Peers: another one.
        (
            WEB_80,
            INVENTORY + to_cart(from_app("ads", "{port: 80}")),
            {
                ("lost", "shop/web", "shop/cart", "TCP 80"),
                ("gained", "shop/ads", "shop/cart", "TCP 80"),
            },
        ),
        # Isolation: a first policy takes from everybody, without it all comes back.
        (
            INVENTORY,
            WEB_80,
            {
                ("lost", "shop/web", "shop/cart", "all ports but those"),
                ("lost", "shop/ads", "shop/cart", "all ports"),
                ("lost", EVERYWHERE, "shop/cart", "all ports"),
            },
        ),
        # Addresses outside: only what changed, to the address.
        (
            INVENTORY + to_cart("{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}"),
            INVENTORY
            + to_cart(
                "{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, "
                "{ipBlock: {cidr: 11.0.0.0/8}}]}"
            ),
            {
                ("lost", "10.1.0.0-10.1.255.255", "shop/cart", "all ports"),
                ("gained", "11.0.0.0-11.255.255.255", "shop/cart", "all ports"),
            },
        ),
        # A workload that came has flows; nothing else changes.
        (
            namespace() + deployment("cart"),
            namespace() + deployment("cart") + deployment("web"),
            {
                ("gained", "shop/web", "shop/cart", "all ports"),
                ("gained", "shop/cart", "shop/web", "all ports"),
                ("gained", EVERYWHERE, "shop/web", "all ports"),
                ("gained", "shop/web", EVERYWHERE, "all ports"),
            },
        ),
    ],
)
def test_changes(before: str, after: str, expected: set[tuple[str, ...]]) -> None:
    rest = "TCP 1-79,81-65535, UDP all ports, SCTP all ports"
    wanted = {
        tuple(text.replace("all ports but those", rest) for text in line)
        for line in expected
    }
    assert lines_of(difference(before, after)) == wanted
    turned = {"gained": "lost", "lost": "gained"}
    back = {(turned[line[0]], *line[1:]) for line in wanted}
    assert lines_of(difference(after, before)) == back


@pytest.mark.parametrize(
    "after",
    [
        WEB_80,
        # Order, comments and names.
        "# nothing\n---\n" + to_cart(from_app("web", "{port: 80}")) + INVENTORY,
        INVENTORY + to_cart(from_app("web", "{port: 80}"), name="other"),
        # The same access by other rules.
        INVENTORY + to_cart(from_app("web", "{port: 80}") + ", " + from_app("nobody")),
        WEB_80 + to_cart("", name="more"),
    ],
)
def test_no_difference(after: str) -> None:
    found = difference(WEB_80, after)
    assert found.changes == ()
    assert not any(found.count(kind) for kind in Kind)


def test_an_ipv6_rule_changes_no_more_than_it_says() -> None:
    """The side that does not speak of IPv6 allows it, and is not empty there."""
    block = to_cart("{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}", name="block")
    web = "{podSelector: {matchLabels: {app: web}}, ingress: []}"
    before = INVENTORY + to_cart("{}") + policy("web", web)
    assert lines_of(difference(before, before + block)) == set()
    opened = INVENTORY + policy("web", web) + to_cart("") + block
    gained = "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"
    closed = INVENTORY + policy("web", web) + to_cart("")
    assert lines_of(difference(closed, opened)) == {
        ("gained", gained, "shop/cart", "all ports")
    }


# --- rules ----------------------------------------------------------------------------


def test_both_sides_name_their_rule_and_its_place() -> None:
    after = INVENTORY + to_cart(from_app("web", "{port: 80}, {port: 81}"), "other")
    (change,) = difference(WEB_80, after).changes
    (turn,) = change.turns
    line = 1 + WEB_80.splitlines().index("metadata: {name: cart-in, namespace: shop}")
    assert turn.before == Half(
        False, "NetworkPolicy/shop/cart-in/ingress/default", f"test.yaml:{line}"
    )
    assert turn.after == Half(
        True, "NetworkPolicy/shop/other/ingress/0", f"test.yaml:{line + 1}"
    )


def test_changes_are_cut_by_rule() -> None:
    """Ports, and ranges of addresses, that two rules give are two changes."""
    blocks = "{from: [{ipBlock: {cidr: 10.0.0.0/9}}], ports: [{port: 80}]}, " + (
        "{from: [{ipBlock: {cidr: 10.128.0.0/9}}], ports: [{port: 80}]}"
    )
    ports = from_app("web", "{port: 80}") + ", " + from_app("web", "{port: 81}")
    found = difference(
        INVENTORY + to_cart(""), INVENTORY + to_cart(f"{blocks}, {ports}")
    )
    named = {
        (change.flow.source, change.keys): change.turns[0].after
        for change in found.changes
    }
    rules = {
        key: half.rule.rpartition("/")[2]
        for key, half in named.items()
        if half and half.rule
    }
    assert rules == {
        ("10.0.0.0-10.127.255.255", ((80, 80),)): "0",
        ("10.128.0.0-10.255.255.255", ((80, 80),)): "1",
        ("shop/web", ((80, 80),)): "2",
        ("shop/web", ((81, 81),)): "3",
    }


def test_neighbouring_ranges_by_one_rule_are_one_change() -> None:
    some = "{from: [{ipBlock: {cidr: 10.5.0.0/16}}], ports: [{port: 1}]}"
    more = "{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 2}]}"
    before = INVENTORY + to_cart(some)
    assert lines_of(difference(before, INVENTORY + to_cart(f"{some}, {more}"))) == {
        ("gained", "10.0.0.0-10.255.255.255", "shop/cart", "TCP 2")
    }


def test_only_the_direction_that_turned_is_named() -> None:
    """Ingress was denied and is not; egress allowed it by a rule all the time."""
    out = (
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{}]}"
    )
    egress = policy("web-out", out)
    found = difference(INVENTORY + egress + to_cart(""), INVENTORY + egress)
    (change,) = (c for c in found.changes if c.flow.source == "shop/web")
    (turn,) = change.turns
    assert (turn.direction, turn.after) == ("ingress", Half(True))


def test_a_revoked_source_is_named_as_the_reason() -> None:
    mesh = mesh_of(WEB_80)
    found = compare(side_of(mesh), side_of(with_revoked(mesh, "shop/web")))
    (change,) = (c for c in found.changes if c.flow.destination == "shop/cart")
    assert line_of(change) == ("lost", "shop/web", "shop/cart", "TCP 80")
    assert [turn.after for turn in change.turns] == [
        Half(False, reason="source_revoked")
    ]


# --- audit ----------------------------------------------------------------------------


def audited(text: str) -> str:
    name = "metadata: {name: cart-in,"
    annotation = " annotations: {pepmesh.dev/mode: audit},"
    return text.replace(name, name + annotation)


def test_what_audited_policies_would_change_stands_apart() -> None:
    found = difference(INVENTORY, audited(WEB_80))
    assert found.changes == ()
    assert ("lost", "shop/ads", "shop/cart", "all ports") in map(line_of, found.audited)


def test_enforcing_a_policy_changes_access_and_nothing_that_would_be() -> None:
    found = difference(audited(WEB_80), WEB_80)
    assert ("lost", "shop/ads", "shop/cart", "all ports") in lines_of(found)
    assert found.audited == ()


def test_what_changes_anyway_is_not_said_twice() -> None:
    """An audited policy is there, but the change is of an enforced one."""
    audit = audited(to_cart(from_app("web")).replace("app: cart}", "app: ads}"))
    enforced = to_cart(from_app("web", "{port: 80}"), name="now")
    found = difference(INVENTORY + audit, INVENTORY + audit + enforced)
    assert found.changes
    assert found.audited == ()


# --- inventories and modules ----------------------------------------------------------


def test_workloads_and_policies_that_came_or_went() -> None:
    found = difference(WEB_80, namespace() + deployment("cart") + deployment("new"))
    assert (found.workloads.new, found.workloads.gone) == (
        ("shop/new",),
        ("shop/ads", "shop/web"),
    )
    assert (found.policies.new, found.policies.gone) == (
        (),
        ("NetworkPolicy shop/cart-in",),
    )


def test_pods_that_are_replaced_are_no_difference() -> None:
    """Other names and addresses of pods, the same owner."""
    set_of = namespace() + pod("set-0", "10.0.0.1", owner="set") + deployment("cart")
    other = namespace() + deployment("cart") + pod("set-9", "10.0.0.7", owner="set")
    assert difference(set_of, other).changes == ()


def test_a_module_knows_owners_by_itself() -> None:
    text = WEB_80.replace("{port: 80}", "{port: 81}")
    expected = {
        ("lost", "shop/web", "shop/cart", "TCP 80"),
        ("gained", "shop/web", "shop/cart", "TCP 81"),
    }
    for after in (module_of(text), side_of(mesh_of(text))):
        found = compare(module_of(WEB_80), after)
        assert lines_of(found) == expected
        assert found.notes == ()
    assert lines_of(compare(side_of(mesh_of(WEB_80)), module_of(text))) == expected


def test_what_a_module_cannot_know_is_left_out_and_said() -> None:
    text = (
        INVENTORY
        + pod("near", "10.0.0.1")
        + pod("agent", "10.0.0.9", host_network=True)
        + to_cart("{from: [{ipBlock: {cidr: 10.0.0.0/30}}]}")
    )
    found = compare(module_of(text), side_of(mesh_of(text)))
    assert found.changes == ()
    assert found.workloads.new == ()
    assert "has no addresses of pods" in found.notes[0]
    assert "shop/agent left out" in found.notes[1]


def test_ranges_of_members_are_read_back_from_a_module() -> None:
    table = mesh_of(INVENTORY, "10.0.0.0/8").engine.table
    assert [str(network) for network in member_networks(table)] == ["10.0.0.0/8"]
    assert member_networks(mesh_of(INVENTORY).engine.table) == ()

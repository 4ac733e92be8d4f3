"""The rules that are compared: as many as asked, all about the server, one decides."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from e2e.bench import alternatives
from e2e.bench.load import request_bytes
from e2e.bench.rules import (
    AUTHORITY,
    METHOD,
    MOST_CLIENTS,
    PORT,
    Rule,
    RuleSet,
    flow_rules,
    model,
    request_rules,
)
from e2e.bench.sidecar import Json
from generator.policy.model import AccountPeer, Protocol
from generator.policy.oracle import Endpoint, decide
from generator.policy.request import HttpRequest

COUNTS = (10, 100, 1_000, 10_000)
SENDER = "127.0.0.1"


def asked_path() -> str:
    return request_bytes(AUTHORITY, []).split()[1].decode()


def allows(rule: Rule, client: int) -> bool:
    is_same = rule.client == client and rule.port == PORT
    return is_same and asked_path().startswith(rule.prefix)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("make", [flow_rules, request_rules])
def test_one_rule_in_the_middle_allows_what_is_sent(
    make: Callable[[int], RuleSet], count: int
) -> None:
    found = make(count)
    assert len(found.rules) == count
    matching = [n for n, r in enumerate(found.rules) if allows(r, found.sender)]
    assert matching == [count // 2]


@pytest.mark.parametrize("count", COUNTS)
def test_as_many_rules_as_clients_are_about_the_port_asked(count: int) -> None:
    found = flow_rules(count)
    assert found.clients == min(count, MOST_CLIENTS)
    asked = [rule.client for rule in found.rules if rule.port == PORT]
    assert sorted(asked) == list(range(found.clients))


def test_the_request_is_what_the_rules_say() -> None:
    assert request_bytes(AUTHORITY, []).startswith(METHOD.encode())


def test_policies_hold_every_rule_once() -> None:
    found = request_rules(60, 3)
    made = model(found, 5)
    assert [len(policy.rules) for policy in made.policies] == [25, 25, 10]
    rules = [rule for policy in made.policies for rule in policy.rules]
    for rule, expected in zip(rules, found.rules, strict=True):
        assert rule.peers == (AccountPeer("bench", "client-3"),)
        assert rule.ports is not None and rule.http is not None
        assert [(p.first, p.last) for p in rule.ports] == [(PORT, PORT)]
        assert [p.pattern for m in rule.http for p in m.paths] == [expected.prefix]


@pytest.mark.parametrize("make", [flow_rules, request_rules])
def test_policies_allow_what_is_sent(make: Callable[[int], RuleSet]) -> None:
    found = make(100)
    made = model(found, 100)
    ends = {m.name: Endpoint(m, IPv4Address("10.0.0.1")) for m in made.members}
    server = ends["server"]

    def is_allowed(client: int, path: str) -> bool:
        sender = ends[f"client-{client}"]
        request = HttpRequest(METHOD, path)
        found = decide(made, sender, server, Protocol.TCP, PORT, request=request)
        return found.allowed

    assert is_allowed(found.sender, asked_path())
    is_by_path = make is request_rules
    assert is_allowed(found.sender, "/other") != is_by_path
    assert is_allowed(found.sender + 1, asked_path()) != is_by_path


def test_envoy_tries_policies_in_the_order_of_rules() -> None:
    config = alternatives.rbac_policies(flow_rules(1_000), SENDER)
    policies = config["typed_config"]["rules"]["policies"]
    assert list(policies) == sorted(policies)
    mine = {"direct_remote_ip": {"address_prefix": SENDER, "prefix_len": 32}}
    place = [n for n, p in enumerate(policies.values()) if p["principals"] == [mine]]
    assert place == [500]


def leaf(tree: Json, *keys: str) -> Json:
    """Follow a matching tree by what its inputs give."""
    for key in keys:
        node = tree["matcher_tree"]
        cases = node.get("exact_match_map") or node["prefix_match_map"]
        tree = cases["map"][key]
        tree = tree.get("matcher", tree)
    return tree


def test_matching_tree_finds_the_rule_of_a_flow() -> None:
    rule_set = flow_rules(1_000)
    config = alternatives.rbac_matcher(rule_set, SENDER)["typed_config"]["matcher"]
    found = leaf(config, str(PORT), SENDER)
    assert found["action"]["typed_config"]["action"] == "ALLOW"
    assert config["on_no_match"]["action"]["typed_config"]["action"] == "DENY"


def test_matching_tree_finds_the_rule_of_a_request() -> None:
    rule_set = request_rules(100)
    config = alternatives.rbac_matcher(rule_set, SENDER)["typed_config"]["matcher"]
    found = leaf(config, str(PORT), SENDER, METHOD, "/api/v1/orders/")
    assert found["action"]["typed_config"]["action"] == "ALLOW"

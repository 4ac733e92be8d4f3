"""Cluster-wide policies of others: netpol-analyzer's and network-policy-api's cases.

Every netpol-analyzer case with an AdminNetworkPolicy or BaselineAdminNetworkPolicy is
compared completely or refused. Of network-policy-api: all probes of all states of its
conformance suites, and its user stories.
"""

from __future__ import annotations

from typing import Final

import pytest

from generator.policy.load import LoadError, load_model
from generator.policy.model import Action, BlockPeer, PodPeer, Tier
from generator.policy.oracle import HostNetwork, decide, endpoints
from generator.policy.oracle_connections import connections
from generator.policy.ties import find_ties
from tests.policy.test_conformance import compare_difference, kinds_of, load_case
from tests.support.connlist import ANALYZER, canonical, read_connlist
from tests.support.vectors import FOLDER, State, member_of, read_states

CLUSTER_AGREEING: Final = [
    "anp_and_banp_using_networks_test",
    "anp_banp_blog_demo",
    "anp_banp_test_with_named_port_matched",
    "anp_demo",
    "anp_np_banp_core_test",
    "anp_test_1_deny_traffic_at_cluster_level",
    "anp_test_2_allow_traffic_at_cluster_level",
    "anp_test_3_pass_traffic",
    "anp_test_4",
    "anp_test_5",
    "anp_test_6",
    "anp_test_6_swapping_rules",
    "anp_test_8",
    "anp_test_9",
    "anp_test_combining_test_6_and_test_10",
    "anp_test_named_ports_multiple_peers",
    "anp_with_banp_pass_test",
    "anp_with_np_pass_test",
    "banp_test_core_egress_tcp_rules",
    "banp_test_core_egress_tcp_swapping_rules",
    "banp_test_core_gress_rules",
    "example_pods_w_same_owner_and_labels_gap_anp_good",
]

# SOURCES.md, "Inputs that must be refused", except the tie.
CLUSTER_REFUSED: Final = {
    "anp_bad_path_test_2": ("POL0032", "1001"),
    "anp_bad_path_test_4": ("INP0008", "spec.subject is missing"),
    "anp_bad_path_test_6": ("INP0008", "spec.egress[0].to is missing"),
    "anp_bad_path_test_8": ("POL0038", "namedPort and portNumber"),
    "anp_bad_path_test_9": ("POL0030", 'unknown action "Accept"'),
    "anp_bad_path_test_14": ("INP0008", "spec.ingress[0].from is missing"),
    "anp_bad_path_test_19": ("POL0009", "zc00::/8"),
    "banp_bad_path_test_1": ("POL0014", '"default" is there twice'),
    "banp_bad_path_test_2": ("POL0042", "banp-name"),
    "banp_bad_path_test_3": ("INP0008", "spec.subject is missing"),
    "banp_bad_path_test_8": ("POL0030", 'unknown action "Pass"'),
}
TIE: Final = "anp_bad_path_test_1"

CLUSTER_DIFFS: Final = [
    ("anp_test_6", "anp_test_6_swapping_rules"),
    ("banp_test_core_egress_tcp_rules", "banp_test_core_egress_tcp_swapping_rules"),
]


def test_every_case_with_a_cluster_wide_policy_is_compared_or_refused() -> None:
    admin = {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"}
    folders = (ANALYZER / "tests").iterdir()
    cases = {path.name for path in folders if kinds_of(path) & admin}
    assert cases == {*CLUSTER_AGREEING, *CLUSTER_REFUSED, TIE}


@pytest.mark.parametrize("case", CLUSTER_AGREEING)
def test_connections_are_the_expected_ones(case: str) -> None:
    model = load_case(case).model
    assert canonical(connections(model)) == read_connlist(case)
    as_pods = connections(model, host_network=HostNetwork.AS_POD)
    assert as_pods == connections(model)
    assert find_ties(model) == ()


@pytest.mark.parametrize("before, after", CLUSTER_DIFFS)
def test_differences_are_the_expected_ones(before: str, after: str) -> None:
    compare_difference(before, after)


@pytest.mark.parametrize("case", CLUSTER_REFUSED)
def test_bad_policies_are_refused(case: str) -> None:
    code, message = CLUSTER_REFUSED[case]
    with pytest.raises(LoadError) as caught:
        load_case(case)
    (error,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert error.code == code
    assert message in error.message
    assert error.span is not None


def test_the_tie_is_found() -> None:
    (tie,) = find_ties(load_case(TIE).model)
    assert (tie.code, tie.severity) == ("POL0041", "error")


# --- network-policy-api ---------------------------------------------------------------

STATES: Final = read_states()


def test_there_are_86_probes() -> None:
    assert len({state.suite for state in STATES}) == 4
    assert sum(len(state.probes) for state in STATES) == 86


@pytest.mark.parametrize("state", STATES, ids=lambda s: f"{s.suite}-{s.number}")
def test_probes_agree(state: State) -> None:
    model = state.model
    assert find_ties(model) == ()
    for probe in state.probes:
        (source,) = endpoints(member_of(model, probe.client))
        (destination,) = endpoints(member_of(model, probe.server))
        found = decide(model, source, destination, probe.protocol, probe.port)
        assert found.allowed == probe.is_allowed, probe


def test_user_stories_are_read() -> None:
    stories = sorted((FOLDER / "site-src" / "user-story-examples").iterdir())
    assert len(stories) == 4
    found = {}
    for story in stories:
        loaded = load_model([str(story)])
        assert loaded.diagnostics == ()
        (policy,) = loaded.model.policies
        actions = [rule.action for rule in policy.rules]
        found[story.stem] = (policy.tier, policy.priority, actions)
        peers = [peer for rule in policy.rules for peer in rule.peers or ()]
        assert peers and all(isinstance(peer, PodPeer | BlockPeer) for peer in peers)
    assert found == {
        "user-story-1": (Tier.ADMIN, 10, [Action.DENY]),
        "user-story-2": (Tier.ADMIN, 30, [Action.ACCEPT, Action.ACCEPT]),
        "user-story-3": (Tier.ADMIN, 20, [Action.PASS]),
        "user-story-5": (Tier.BASELINE, 10, [Action.DENY]),
    }

"""Random models: to manifests and back, and two evaluators of selectors."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.policy import oracle
from generator.policy.load import load_sources
from generator.policy.model import LabelSelector, Model, PodPeer, Protocol
from generator.policy.oracle import decide, endpoints
from generator.policy.oracle_connections import connections
from generator.policy.oracle_labels import selects as oracle_selects
from generator.policy.oracle_rules import Question
from generator.policy.relevant import find_relevant
from generator.policy.selector import (
    namespace_labels,
    peer_selects,
    pod_selectors,
    selects,
)
from generator.source import SourceFile
from tests.support.connlist import canonical
from tests.support.manifests import to_text, without_spans
from tests.support.policy_strategies import labels, selectors
from tests.support.strategies import EVERY_KIND, Flow, flows, models


@given(models(kinds=EVERY_KIND, audited=True))
def test_manifests_of_a_model_load_as_the_model(model: Model) -> None:
    loaded = load_sources([SourceFile("model.json", to_text(model))])
    assert without_spans(loaded.model) == model
    assert not [d for d in loaded.diagnostics if d.severity == "error"]


@given(selectors(), labels())
def test_both_evaluators_of_selectors_agree(
    selector: LabelSelector, given_labels: dict[str, str]
) -> None:
    assert selects(selector, given_labels) == oracle_selects(selector, given_labels)


@given(models(max_members=3, kinds=EVERY_KIND))
def test_relevant_keys_are_enough(model: Model) -> None:
    """Labels that nobody looks at change no verdict of any selector."""
    relevant = find_relevant(model.policies, model.services)
    for member in model.members:
        kept = {k: v for k, v in member.labels.items() if k in relevant.label_keys}
        for selector in pod_selectors(model.policies):
            assert selects(selector, member.labels) == selects(selector, kept)


@given(models(kinds=EVERY_KIND))
def test_peers_select_as_the_oracle_says(model: Model) -> None:
    """An ingress rule with one pod peer and no ports allows just what it selects."""
    for policy in model.policies:
        for rule in policy.rules:
            for peer in rule.peers or ():
                for member in model.members:
                    if isinstance(peer, PodPeer):
                        question = Question(
                            model,
                            endpoints(member)[0],
                            endpoints(member)[0],
                            Protocol.TCP,
                            1,
                            oracle.HostNetwork.AS_POD,
                        )
                        assert question.pod_matches(peer, policy, member) == (
                            peer_selects(
                                peer,
                                policy.namespace,
                                member.namespace,
                                member.labels,
                                model,
                            )
                        )


def test_namespace_that_nobody_mentions_has_its_name() -> None:
    model = Model({}, (), (), ())
    assert namespace_labels(model, "x") == {"kubernetes.io/metadata.name": "x"}


@st.composite
def asked_models(draw: st.DrawFn) -> tuple[Model, list[Flow]]:
    model = draw(models(max_members=3, max_policies=3, kinds=EVERY_KIND))
    return model, draw(st.lists(flows(model), min_size=5, max_size=5))


@settings(max_examples=25)
@given(asked_models())
def test_connections_and_single_questions_agree(
    asked: tuple[Model, list[Flow]],
) -> None:
    """What is not HTTP is meant: `connections` speaks of plain flows."""
    model, questions = asked
    tables = {family: connections(model, family=family) for family in (4, 6)}
    assert all(canonical(table) == table for table in tables.values())
    for flow in questions:
        ends = flow.source, flow.destination
        decision = decide(model, *ends, flow.protocol, flow.port)
        outside = [end for end in ends if not isinstance(end, oracle.Endpoint)]
        members = [end.member for end in ends if isinstance(end, oracle.Endpoint)]
        if len(members) == 2 and members[0] == members[1]:
            continue  # flows of a member to itself are left out
        table = tables[outside[0].version if outside else 4]
        is_listed = any(
            _covers(line["source"], ends[0])
            and _covers(line["destination"], ends[1])
            and line["protocol"] == flow.protocol
            and any(first <= flow.port <= last for first, last in line["ports"])
            for line in table
        )
        # A line speaks of all endpoints of its members together.
        if all(len(member.addresses) < 2 for member in members):
            assert is_listed == (decision.allowed and bool(members))
        elif members:
            assert is_listed or not decision.allowed


def _covers(name: str, end: oracle.End) -> bool:
    """Tell whether a name of a line, or its range of addresses, is that of an end."""
    if isinstance(end, oracle.Endpoint):
        return name == f"{end.member.namespace}/{end.member.name}"
    first, dash, last = name.partition("-")
    if not dash or "/" in name:
        return False
    return int(ip_address(first)) <= int(end) <= int(ip_address(last))

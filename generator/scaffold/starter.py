"""Make starters: a policy, its test cases and a traffic file for one workload.

Where in the pipeline: `manifests + name -> facts -> policy -> mesh -> cases`. Without
manifests the example of `templates/inventory` is taken. The result loads beside the
manifests as it is, and its test cases pass: they are asked before they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from generator.analysis.cases.run import rule_places
from generator.analysis.engine import Engine
from generator.analysis.errors import QuestionError
from generator.analysis.explain.explainer import Explainer, Outcome
from generator.analysis.traffic import Traffic
from generator.build import DEFAULT_OVERLAY, build_mesh
from generator.policy.load import load_sources
from generator.policy.model import Model, Protocol
from generator.scaffold.cases import write_cases, write_flows
from generator.scaffold.facts import Facts, find_facts
from generator.scaffold.flow_yaml import flow
from generator.scaffold.policies import FORMS, fill, write_policy
from generator.scaffold.questions import Question, flow_questions, make_questions
from generator.source import SourceFile

KINDS: Final = tuple(FORMS)
PARTS: Final = ("policy", "test", "traffic", "all")
EXAMPLE: Final = "shop/cart"


@dataclass(frozen=True, slots=True)
class Starter:
    """Files by what they are called, in the order in which people read them."""

    files: dict[str, str]


def make_starter(
    sources: Iterable[SourceFile] | None, title: str, kind: str, part: str
) -> Starter:
    """Make a starter, or a part of one, for a workload in some manifests.

    `sources` None: for the example. Of real manifests a test alone is about the
    policies that are there; no new one is made up for it.
    Raises: QuestionError RUN0010, RUN0025.
    """
    inventory = SourceFile("inventory.yaml", fill("inventory", {}))
    given = [inventory] if sources is None else list(sources)
    mesh = _open(given)
    facts = find_facts(mesh.model, title, mesh.is_allowed)
    _check_requests(kind, facts)
    maker = _Maker(given, mesh, facts, kind)
    is_about_present = sources is not None and part in ("test", "traffic")
    policy, test, traffic = maker.present() if is_about_present else maker.new()
    files = {
        "inventory": (inventory.name, inventory.text if sources is None else ""),
        "policy": (maker.policy_file, policy),
        "test": (maker.test_file, test),
        "traffic": (maker.traffic_file, traffic),
    }
    wanted = files if part == "all" else (part,)
    found = [files[name] for name in wanted]
    return Starter({name: text for name, text in found if text})


def _check_requests(kind: str, facts: Facts) -> None:
    if kind == "OverlayPolicy" and facts.port.protocol is not Protocol.TCP:
        message = f"{facts.workload.title} declares no TCP port, so it gets no requests"
        raise QuestionError.of("RUN0025", message)


@dataclass(frozen=True, slots=True)
class _Mesh:
    """A mesh that answers questions; `places`: where its rules are written."""

    model: Model
    explainer: Explainer
    places: Mapping[str, str]

    def is_allowed(self, traffic: Traffic) -> bool:
        return self.explainer.explain(traffic).outcome is Outcome.ALLOW


def _open(sources: Iterable[SourceFile]) -> _Mesh:
    model = load_sources(sources).model
    built = build_mesh(model, None, name=DEFAULT_OVERLAY)
    engine = Engine(built.module)
    explainer = Explainer(engine, model, built.overlay)
    return _Mesh(model, explainer, rule_places(engine.table))


@dataclass(frozen=True, slots=True)
class _Maker:
    sources: list[SourceFile]
    present_mesh: _Mesh
    facts: Facts
    kind: str

    @property
    def policy_file(self) -> str:
        return f"{self.facts.workload.name}-policy.yaml"

    @property
    def test_file(self) -> str:
        return f"{self.facts.workload.name}_test.yaml"

    @property
    def traffic_file(self) -> str:
        return f"{self.facts.workload.name}-traffic.yaml"

    def new(self) -> tuple[str, str, str]:
        """Return the texts of a new policy, a test of it, and the test's traffic."""
        model = self.present_mesh.model
        policy = write_policy(self.kind, self.facts, model, self.test_file)
        mesh = _open([*self.sources, SourceFile(self.policy_file, policy.text)])
        questions = list(make_questions(self.kind, self.facts))
        test = self._test(mesh, questions, policy.title)
        return policy.text, test, self._traffic(questions)

    def present(self) -> tuple[str, str, str]:
        """Return no policy, a test of what is there, and the test's traffic."""
        questions = list(flow_questions(self.facts))
        test = self._test(self.present_mesh, questions, "")
        return "", test, self._traffic(questions)

    def _traffic(self, questions: Iterable[Question]) -> str:
        flows = write_flows(questions)
        return self._fill("traffic", flows=flows, traffic_file=self.traffic_file)

    def _test(self, mesh: _Mesh, questions: Iterable[Question], policy: str) -> str:
        cases = write_cases(questions, mesh.explainer, policy, mesh.places)
        return self._fill("policy_test", cases=cases)

    def _fill(self, template: str, **values: str) -> str:
        workload = self.facts.workload
        common = {"title": workload.title, "name": flow(workload.name)}
        return fill(template, {**common, **values})

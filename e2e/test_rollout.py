"""Hot swaps under load: no request is lost, and each is judged by old or new rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.addresses import Addresses
from e2e.callers import ALLOWED, DENIED, Answered, Callers, Question
from e2e.changing_shop import Scene, changing_keys, changing_rules, rolling_out
from e2e.envoy import start_envoy
from e2e.processes import Children, wait_until
from e2e.proxy import Inbound, Node, Plugin, Proxy
from e2e.rollout import Version, wrong_answers
from e2e.shop_run import Shop

SWAPS = 10
WORKERS = 2


def swap_back_and_forth(family: Children, scene: Scene, folder: Path) -> None:
    """Swap under load; in the end the first version is in force again."""
    with rolling_out(family, scene, folder, WORKERS) as rollout:
        for number in range(SWAPS):
            swap = rollout.swap(scene.versions[(number + 1) % 2])
            assert swap.wrong == ()
        last = rollout.callers.count()
        rollout.callers.wait_for(scene.versions[0].verdicts, last)


def kinds(scene: Scene, *, is_outbound: bool) -> set[tuple[str, str]]:
    """Return the verdicts, before and after, of the questions on one side."""
    old, new = (version.verdicts for version in scene.versions)
    flows = [flow for flow in scene.flows if flow.is_outbound is is_outbound]
    return {(old[f.question.name], new[f.question.name]) for f in flows}


def test_no_request_is_lost_when_rules_change(
    family: Children, shop: Shop, tmp_path: Path
) -> None:
    scene = changing_rules(shop, tmp_path)
    every_kind = {(ALLOWED, DENIED), (ALLOWED, ALLOWED), (DENIED, DENIED)}
    assert kinds(scene, is_outbound=False) == every_kind
    assert kinds(scene, is_outbound=True) == every_kind
    swap_back_and_forth(family, scene, tmp_path)


def test_no_request_is_lost_when_keys_are_rotated(
    family: Children, shop: Shop, tmp_path: Path
) -> None:
    swap_back_and_forth(family, changing_keys(shop), tmp_path)


# --- the harness -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (["moves: allowed", "stays: allowed", "moves: denied", "stays: allowed"], []),
        (["moves: denied", "moves: denied"], []),
        (["moves: denied", "moves: allowed"], ["moves: allowed"]),
        (["stays: denied", "stays: allowed"], ["stays: denied"]),
        (["moves: key_mismatch"], ["moves: key_mismatch"]),
        (["moves: lost: 503", "moves: denied"], ["moves: lost: 503"]),
    ],
)
def test_answers_of_neither_version_are_wrong(
    given: list[str], wrong: list[str]
) -> None:
    plugin = Plugin(Path("none.wasm"))
    old = Version(plugin, {"moves": ALLOWED, "stays": ALLOWED})
    new = Version(plugin, {"moves": DENIED, "stays": ALLOWED})
    answers = [answered(text) for text in given]
    assert list(wrong_answers(answers, old, new)) == [answered(text) for text in wrong]


def answered(text: str) -> Answered:
    question, _, verdict = text.partition(": ")
    return Answered(question, 0, 0, verdict)


def test_callers_tell_a_lost_request_from_an_answer(
    family: Children, addresses: Addresses, tmp_path: Path
) -> None:
    """Nobody listens behind the proxy, and nobody at the second place."""
    client, proxy, nobody = (addresses.pod(number) for number in (161, 162, 163))
    node = Node("alone", "test", {}, "alone", (proxy,))
    inbound = Inbound(proxy, 8080, addresses.origin(162))
    start_envoy(family, Proxy(node, (inbound,)), tmp_path / "envoy").wait_ready()
    questions = [
        Question("proxied", client, proxy, 8080),
        Question("refused", client, nobody, 8080),
    ]
    with Callers(questions) as callers:
        wait_until(lambda: callers.count() >= 4, "answers")
    verdicts = {a.question: a.verdict for a in callers.answers()}
    assert verdicts["proxied"].startswith("lost: 503")
    assert verdicts["refused"].startswith("lost: ")

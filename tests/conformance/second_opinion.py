"""A second opinion on NetworkPolicy: network-config-analyzer, in an environment apart.

`python -m tests.conformance.second_opinion NCA [--models N]` runs the program NCA over
folders of manifests and compares its flows with the built module's, completely:
netpol-analyzer's cases, our own, and random models (fixed seed) rendered to manifests.

Its conventions are applied to our side: ipBlock never matches a pod, hostNetwork is not
looked at, a pod to itself is left out; a pod that it makes up is left out of its side.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from generator.errors import OverlayError
from generator.policy.load import load_model
from generator.policy.model import Member, Model
from generator.policy.oracle_connections import Connection
from tests.conformance.judges import ModuleJudge, difference
from tests.conformance.netpol_analyzer import as_netpol_analyzer, expected_cases
from tests.conformance.own_cases import FOLDER, REFUSED, case_names, manifest_files
from tests.conformance.report import as_table
from tests.conformance.result import Outcome, Result
from tests.conformance.run import is_clean
from tests.support.connlist import ANALYZER, canonical
from tests.support.manifests import to_manifests
from tests.support.strategies import NETWORK_POLICY, models

THEIRS: Final = "netpol-analyzer folders"
OURS: Final = "our own cases"
RANDOM: Final = "random models"
SEED: Final = 2_510_04052
MODELS: Final = 80

MADE_UP: Final = "kube-system/kube-dns-livesim"
OTHER_KINDS: Final = "has policies that the tool skips without a word"
TWO_IN_ONE: Final = (
    "the overlay refuses it: two workloads that policy cannot tell apart"
)

ABSENT_IS_EMPTY: Final = (
    "the tool takes an absent label for one with an empty value. API: a pair of "
    "matchLabels is equivalent to a requirement with the operator In, and such a "
    "requirement needs the key"
)
FINISHED: Final = (
    "the tool lists pods that have ended, whose address another pod has. Kubernetes: a "
    "pod in a terminal phase has no network"
)
NAME_LABEL: Final = (
    "the tool does not give namespaces their label kubernetes.io/metadata.name. API: "
    '"The Kubernetes control plane sets an immutable label" of this key on all of them'
)
EMPTY_EGRESS: Final = (
    "the tool has `egress: []` alone isolate egress. API server: the default of "
    "policyTypes has Egress if the list has an entry (SetDefaults_NetworkPolicy)"
)
# Cases that differ, and which side is wrong by what.
LISTED: Final = {
    "empty-value": ABSENT_IS_EMPTY,
    "finished-pods": FINISHED,
    "namespace-name-label": NAME_LABEL,
    "policy-types": EMPTY_EGRESS,
}

_LINE: Final = re.compile(r"(?P<source>\S+) => (?P<destination>\S+) : (?P<flows>.+)")
_PART: Final = re.compile(
    r"\{protocols:(?P<protocols>[A-Z, ]+)(?P<ports>,dst_ports:[^}]*)?\}"
)
_KIND: Final = re.compile(r"\[\w+\]$")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def opinions(nca: str, count: int) -> Iterator[Result]:
    """Compare everything; one result per folder."""
    for case in expected_cases():
        yield compare(nca, THEIRS, case, ANALYZER / "tests" / case)
    for case in case_names():
        if not (FOLDER / case / REFUSED).exists():
            yield from _own(nca, case)
    for number, model in enumerate(random_models(count)):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "model.json").write_text(_render(model))
            yield compare(nca, RANDOM, f"{number}", Path(folder))


def _own(nca: str, case: str) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        for file in manifest_files(case):
            (Path(folder) / file.name).write_text(file.text)
        yield compare(nca, OURS, case, Path(folder))


def compare(nca: str, source: str, name: str, folder: Path) -> Result:
    model = load_model([str(folder)], recursive=True).model
    if any(policy.kind != NETWORK_POLICY for policy in model.policies):
        return Result(source, name, Outcome.NOT_APPLICABLE, OTHER_KINDS)
    try:
        mine = ModuleJudge(as_netpol_analyzer(model)).flows()
    except OverlayError:
        return Result(source, name, Outcome.NOT_APPLICABLE, TWO_IN_ONE)
    try:
        theirs = ask(nca, folder)
    except ToolRefuses as error:
        return Result(
            source, name, Outcome.NOT_APPLICABLE, f"the tool refuses: {error}"
        )
    said = difference(_without_ipv6(mine), _without_ipv6(theirs))
    if source == OURS and name in LISTED:
        outcome = Outcome.DIFFERS if said else Outcome.FAILED
        return Result(source, name, outcome, LISTED[name])
    outcome = Outcome.FAILED if said else Outcome.AGREES
    return Result(source, name, outcome, said)


def _without_ipv6(connections: list[Connection]) -> list[Connection]:
    return [c for c in connections if ":" not in c["source"] + c["destination"]]


# --- the tool -------------------------------------------------------------------------


class ToolRefuses(Exception):
    """The tool does not read a folder; the message is its own."""


def ask(nca: str, folder: Path) -> list[Connection]:
    """Run the tool over a folder. Raises: ToolRefuses."""
    command = [nca, "--connectivity", "-r", str(folder), "-o", "txt_no_fw_rules"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [li for li in done.stdout.splitlines() if " => " in li]
    if done.returncode != 0:
        said = [li for li in done.stderr.splitlines() if "Error" in li]
        raise ToolRefuses(said[-1] if said else f"exit code {done.returncode}")
    return canonical(c for line in lines for c in _parse(line))


def _parse(line: str) -> Iterator[Connection]:
    match = _LINE.fullmatch(line.strip())
    assert match, f"cannot read {line!r}"
    source, destination = (_end(match[name]) for name in ("source", "destination"))
    if MADE_UP in (source, destination):
        return
    for protocol, ports in _parse_flows(match["flows"]):
        yield Connection(
            source=source, destination=destination, protocol=protocol, ports=ports
        )


def _end(text: str) -> str:
    """Spell an end as we do: an owner without its kind, one address as a range."""
    name = _KIND.sub("", text)
    return name if "/" in name or "-" in name else f"{name}-{name}"


def _parse_flows(text: str) -> Iterator[tuple[str, list[list[int]]]]:
    """Yield protocols and ports of `{protocols:TCP,dst_ports:80},{protocols:UDP}`."""
    if text == "All connections":
        for protocol in _PROTOCOLS:
            yield protocol, [[1, 65535]]
        return
    parts = list(_PART.finditer(text))
    assert ",".join(part[0] for part in parts) == text, f"cannot read {text!r}"
    for part in parts:
        ports = [[1, 65535]]
        if part["ports"]:
            words = part["ports"].removeprefix(",dst_ports:").split(",")
            ports = [[int(n) for n in (w.split("-") * 2)[:2]] for w in words]
        for protocol in part["protocols"].split(", "):
            yield protocol, ports


# --- random models --------------------------------------------------------------------


def random_models(count: int) -> list[Model]:
    """Draw models, the same ones each time; those without policies are dropped."""
    found: list[Model] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(models(kinds=(NETWORK_POLICY,), distinct_accounts=True, max_services=0))
    def collect(model: Model) -> None:
        if model.policies and model.members:
            found.append(_as_they_read(model))

    collect()
    return found


def _as_they_read(model: Model) -> Model:
    """Make every member a bare pod without an address.

    Who owns a pod, and what an address is, is not what the opinion is about.
    """
    chosen: dict[tuple[str, str], Member] = {}
    for member in model.members:
        pod = replace(member, kind="Pod", addresses=(), host_network=False)
        chosen.setdefault((member.namespace, member.name), pod)
    return replace(model, members=tuple(chosen.values()))


def _render(model: Model) -> str:
    """Render a model with a podSelector in every policy: the tool insists on it.

    Labels with an empty value get another one: see `ABSENT_IS_EMPTY`.
    """
    items = to_manifests(model)
    for item in items:
        if item["kind"] == NETWORK_POLICY:
            item.setdefault("spec", {}).setdefault("podSelector", {})
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return text.replace('""', '"e"')


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.second_opinion")
    parser.add_argument("nca", help="the program, from network-config-analyzer==2.1.0")
    parser.add_argument("--models", type=int, default=MODELS, help="random models")
    options = parser.parse_args(arguments)
    if shutil.which(options.nca) is None:
        sys.stderr.write(f"{options.nca} is not there\n")
        return 2
    results = list(opinions(options.nca, options.models))
    sys.stdout.write(as_table(results) + "\n")
    return 0 if is_clean(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())

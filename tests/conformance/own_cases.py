"""Our own cases: `tests/data/conformance/<case>/`, in the form of those of others.

    manifests.yaml   the cluster and its policies; other *.yaml files likewise
    connlist.txt     all allowed flows, as netpol-analyzer prints them
    vectors.yaml     states and probes, as network-policy-api's `expected` has them
    refused.yaml     the code and a part of the text of the error

An end of a probe is `ns/name`, `ns/name@address` if a pod has several, an address
outside, or `service:ns/name`. A probe with `http` is one request. Edits are those of
`tests.support.vectors`, and `label pod ns/name key=value`, `label namespace name key-`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from generator.policy.load import Loaded, load_sources
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest
from generator.source import SourceFile
from tests.support.vectors import apply_edit

FOLDER: Final = Path(__file__).parents[1] / "data" / "conformance"
CONNLIST: Final = "connlist.txt"
VECTORS: Final = "vectors.yaml"
REFUSED: Final = "refused.yaml"


@dataclass(frozen=True, slots=True)
class OwnProbe:
    """A connection, or one request, that must or must not be let through."""

    client: str
    server: str
    protocol: Protocol
    port: int
    is_allowed: bool
    request: HttpRequest | None = None

    def __str__(self) -> str:
        text = f"{self.client} -> {self.server} {self.protocol} {self.port}"
        if self.request is not None:
            text = f"{text} {self.request.method} {self.request.path}"
        return text


@dataclass(frozen=True, slots=True)
class OwnState:
    """A case after some edits."""

    case: str
    number: int
    loaded: Loaded
    probes: tuple[OwnProbe, ...]

    @property
    def name(self) -> str:
        return f"{self.case}-{self.number}" if self.number else self.case


def case_names() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def manifest_files(case: str) -> list[SourceFile]:
    """Return the manifests of a case, before any edit."""
    files = sorted((FOLDER / case).glob("*.yaml"))
    chosen = [file for file in files if file.name not in (VECTORS, REFUSED)]
    return [SourceFile(file.name, file.read_text()) for file in chosen]


@cache
def read_own_states(case: str) -> tuple[OwnState, ...]:
    """Return the states of a case's vectors."""
    return tuple(_states(case))


def _states(case: str) -> Iterator[OwnState]:
    vectors = yaml.safe_load((FOLDER / case / VECTORS).read_text())
    files = manifest_files(case)
    documents = {f.name: list(yaml.safe_load_all(f.text)) for f in files}
    for state in vectors["states"]:
        if state["edits"]:
            documents = copy.deepcopy(documents)
            for edit in state["edits"]:
                _apply(edit, documents, vectors.get("editedPolicy", ""))
            files = [
                SourceFile(name, yaml.safe_dump_all(each))
                for name, each in documents.items()
            ]
        probes = tuple(_probe(probe) for probe in state["probes"])
        yield OwnState(case, state["state"], load_sources(files), probes)


def _apply(edit: str, documents: dict[str, list[Any]], edited_policy: str) -> None:
    every = [each for file in documents.values() for each in file]
    words = edit.split()
    if words[0] != "label":
        (policy,) = [d for d in every if d["metadata"]["name"] == edited_policy]
        apply_edit(edit, policy["spec"])
        return
    _, kind, place, change = words
    namespace, _, name = place.rpartition("/")
    (metadata,) = [
        d["metadata"]
        for d in every
        if d["kind"].lower() == kind
        and (d["metadata"].get("namespace", ""), d["metadata"]["name"])
        == (namespace, name)
    ]
    key, has_value, value = change.partition("=")
    if has_value:
        metadata["labels"][key] = value
    else:
        del metadata["labels"][key.removesuffix("-")]


def _probe(probe: dict[str, Any]) -> OwnProbe:
    assert probe["expect"] in ("allow", "deny"), probe
    request = probe.get("http")
    return OwnProbe(
        probe["client"],
        probe["server"],
        Protocol(probe["protocol"].upper()),
        probe["port"],
        probe["expect"] == "allow",
        None if request is None else _request(request),
    )


def _request(http: dict[str, Any]) -> HttpRequest:
    headers = tuple(
        (name.lower(), value)
        for name, given in http.get("headers", {}).items()
        for value in (given if isinstance(given, list) else [given])
    )
    return HttpRequest(
        http.get("method", "GET"), http.get("path", "/"), http.get("host", ""), headers
    )

"""A folder with a small shop, which is the current folder of each test."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from generator import build
from tests.support.meshes import deployment, namespace, policy, service

INVENTORY = (
    namespace()
    + deployment("web")
    + deployment("cart", ports="[{name: http, containerPort: 8080}]")
    + service("cart", 80, "http", app="cart")
)
POLICIES = policy(
    "cart-in",
    "{podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{podSelector: "
    "{matchLabels: {app: web}}}], ports: [{port: http}]}]}",
)


compile_once = cache(build.compile_filter)
"""Same table, same bytes: a compilation need not be repeated for every test."""


@pytest.fixture(autouse=True)
def one_compilation_per_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "compile_filter", compile_once)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Manifests in `policies/`; nothing else is there."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "inventory.yaml").write_text(INVENTORY)
    (folder / "policies.yaml").write_text(POLICIES)
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""A build with a memory gives what a build without one gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.build import Built, Memory, build_mesh
from generator.errors import ToolError
from generator.memory import Last, Rounds
from generator.overlay.lock import Lock
from generator.policy.load import load_sources
from generator.source import SourceFile

Files = dict[str, list[str]]
"""Documents by file; one file per namespace, and one for mesh-wide policies."""

NAMESPACES = ("red", "green", "blue")
APPS = ("web", "api", "db")
MESH_WIDE = "platform"


def workload(namespace: str, app: str, tier: str) -> str:
    number = 5000 + len(tier)
    return (
        f"apiVersion: apps/v1\nkind: Deployment\n"
        f"metadata:\n  name: {app}\n  namespace: {namespace}\n"
        f"spec:\n  template:\n    metadata:\n      labels:\n        app: {app}\n"
        f"        tier: {tier}\n    spec:\n      containers:\n      - name: main\n"
        f"        ports:\n        - name: http\n          containerPort: {number}\n"
    )


def service(namespace: str, app: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {app}, namespace: "
        f"{namespace}}}\nspec:\n  selector: {{app: {app}}}\n"
        "  ports: [{port: 80, targetPort: http}]\n"
    )


def network_policy(namespace: str, app: str, peer: str, port: str) -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: {app}, namespace: {namespace}}}\nspec:\n"
        f"  podSelector: {{matchLabels: {{app: {app}}}}}\n"
        f"  policyTypes: [Ingress, Egress]\n"
        f"  ingress: [{{from: [{peer}], ports: [{{port: {port}}}]}}]\n"
        f"  egress: [{{to: [{peer}], ports: [{{port: {port}}}]}}]\n"
    )


def overlay_policy(namespace: str, app: str, path: str, mode: str) -> str:
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: {app}, namespace: {namespace}}}\nspec:\n  mode: {mode}\n"
        f"  subject: {{pods: {{podSelector: {{matchLabels: {{app: {app}}}}}}}}}\n"
        f"  ingress: [{{http: [{{paths: [{{prefix: {path}}}]}}]}}]\n"
    )


def cluster_policy(stage: str, action: str) -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: guard}}\nspec:\n  tier: Admin\n  priority: 1\n"
        f"  subject: {{namespaces: {{matchLabels: {{stage: {stage}}}}}}}\n"
        f"  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]\n"
    )


PEERS = st.sampled_from(
    [
        "{podSelector: {matchLabels: {app: web}}}",
        "{podSelector: {matchLabels: {tier: front}}}",
        "{namespaceSelector: {matchLabels: {stage: prod}}}",
        "{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}",
        "{ipBlock: {cidr: 10.0.0.0/8}}",
    ]
)
PLACES = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(APPS))
DOCUMENTS = st.one_of(
    st.builds(
        lambda place, tier: (place[0], workload(place[0], place[1], tier)),
        PLACES,
        st.sampled_from(["front", "back"]),
    ),
    st.builds(lambda place: (place[0], service(*place)), PLACES),
    st.builds(
        lambda place, peer, port: (
            place[0],
            network_policy(place[0], place[1], peer, port),
        ),
        PLACES,
        PEERS,
        st.sampled_from(["80", "http"]),
    ),
    st.builds(
        lambda place, path, mode: (
            place[0],
            overlay_policy(place[0], place[1], path, mode),
        ),
        PLACES,
        st.sampled_from(["/a", "/b"]),
        st.sampled_from(["enforce", "audit"]),
    ),
    st.builds(
        lambda stage, action: (MESH_WIDE, cluster_policy(stage, action)),
        st.sampled_from(["prod", "dev"]),
        st.sampled_from(["Deny", "Pass", "Accept"]),
    ),
    st.builds(
        lambda name, stage: (
            name,
            f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: "
            f"{{stage: {stage}}}}}\n",
        ),
        st.sampled_from(NAMESPACES),
        st.sampled_from(["prod", "dev"]),
    ),
    # What stops a build, and a comment, which moves lines only.
    st.builds(lambda name: (name, "kind: 1: 2\n"), st.sampled_from(NAMESPACES)),
    st.builds(lambda name: (name, "# comment\n"), st.sampled_from(NAMESPACES)),
)


def head(document: str) -> list[str]:
    return [line for line in document.split("\n") if "kind:" in line or "name:" in line]


def edit(files: Files, name: str, document: str, where: int, is_removed: bool) -> None:
    """Put a document in its file, instead of the one of its name, or remove it."""
    documents = files.setdefault(name, [])
    others = [one for one in documents if head(one)[:2] != head(document)[:2]]
    if not is_removed:
        others.insert(where % (len(others) + 1), document)
    files[name] = others


def build(files: Files, lock: Lock | None, memory: Memory | None) -> Built | ToolError:
    sources = [
        SourceFile(f"{name}.yaml", "---\n".join(documents))
        for name, documents in sorted(files.items())
    ]
    try:
        known = memory.contents if memory else None
        model = load_sources(sources, memory=known).model
        return build_mesh(model, lock, memory=memory)
    except ToolError as error:
        return error


STEPS = st.tuples(DOCUMENTS, st.integers(0, 3), st.sampled_from([False, False, True]))


@settings(max_examples=15)
@given(start=st.lists(STEPS, max_size=8), steps=st.lists(STEPS, min_size=1, max_size=5))
def test_same_as_without(
    start: list[tuple[tuple[str, str], int, bool]],
    steps: list[tuple[tuple[str, str], int, bool]],
) -> None:
    files: Files = {}
    for name in NAMESPACES:
        edit(files, name, workload(name, "web", "front"), 0, False)
    for (name, document), where, is_removed in start:
        edit(files, name, document, where, is_removed)
    memory, lock = Memory(), None
    for (name, document), where, is_removed in steps:
        edit(files, name, document, where, is_removed)
        found, fresh = build(files, lock, memory), build(files, lock, None)
        if isinstance(fresh, ToolError) or isinstance(found, ToolError):
            assert isinstance(fresh, ToolError) and isinstance(found, ToolError)
            assert found.diagnostics == fresh.diagnostics
            continue
        assert found.module == fresh.module
        assert found.table == fresh.table
        assert (found.lock, found.overlay) == (fresh.lock, fresh.overlay)
        assert found.diagnostics == fresh.diagnostics
        lock = found.lock


def test_rounds_forget_what_is_not_asked_for() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    rounds: Rounds[str, str] = Rounds()
    for asked in (["a", "b", "a"], ["a"], ["a", "b"]):
        rounds.start()
        assert [rounds.get(key, make) for key in asked] == [k.upper() for k in asked]
    assert made == ["a", "b", "b"]


@pytest.mark.parametrize("other, count", [(1, 1), (2, 2)])
def test_last_is_kept_while_inputs_are_equal(other: int, count: int) -> None:
    calls: list[str] = []

    def make() -> str:
        calls.append("call")
        return "value"

    last: Last[str] = Last()
    assert last.get([1], make) == last.get([other], make) == "value"
    assert len(calls) == count

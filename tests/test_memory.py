"""A build with a memory gives what a build without one gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Network
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.bench.big_mesh import Size, big_mesh
from generator.build import Built, Memory, build_mesh
from generator.errors import ToolError
from generator.memory import Attached, Kept, Last, Rounds, Same
from generator.overlay import targets, workloads
from generator.overlay.lock import Lock, revoke
from generator.overlay.lock_writer import LockTextMemory, write_lock
from generator.policy import members
from generator.policy.load import load_sources
from generator.source import SourceFile
from generator.table import packing, rules, selections, subjects

Files = dict[str, list[str]]
"""Documents by file; one file per namespace, and one for mesh-wide policies."""

NAMESPACES = ("red", "green", "blue")
APPS = ("web", "api", "db")
MESH_WIDE = "platform"


def workload(namespace: str, app: str, tier: str, network: str = "false") -> str:
    """A workload; its tier says the number of its port."""
    number = 5000 + len(tier)
    return (
        f"apiVersion: apps/v1\nkind: StatefulSet\n"
        f"metadata:\n  name: {app}\n  namespace: {namespace}\n"
        f"spec:\n  template:\n    metadata:\n      labels:\n        app: {app}\n"
        f"        tier: {tier}\n    spec:\n      hostNetwork: {network}\n"
        f"      containers:\n      - name: main\n        ports:\n"
        f"        - name: http\n          containerPort: {number}\n"
    )


def pod(namespace: str, app: str, tier: str, address: str) -> str:
    """A running pod, which is part of the workload of its app's name, if any is."""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {app}-{tier}\n"
        f"  namespace: {namespace}\n  labels: {{app: {app}, tier: {tier}}}\n"
        "  ownerReferences:\n  - {apiVersion: apps/v1, kind: StatefulSet, "
        f"name: {app}, controller: true, uid: u}}\n"
        "spec:\n  serviceAccountName: robot\n  containers:\n  - name: main\n"
        f"    ports: [{{name: http, containerPort: {len(address)}}}]\n"
        f"status: {{phase: Running, podIP: '{address}'}}\n"
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


def system_policy(app: str, peer: str, stage: str) -> str:
    """A policy whose subjects are elsewhere, with peers that are no pods."""
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: by-{app}, namespace: pepmesh-system}}\nspec:\n"
        f"  subject: {{namespaces: {{matchLabels: {{stage: {stage}}}}}}}\n"
        f"  ingress: [{{from: [{peer}], ports: [{{port: 80}}]}}]\n"
    )


def cluster_policy(name: str, tier: str, stage: str, action: str, peer: str) -> str:
    return (
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
        f"metadata: {{name: {name}}}\nspec:\n  tier: {tier}\n  priority: 1\n"
        f"  subject: {{namespaces: {{matchLabels: {{stage: {stage}}}}}}}\n"
        f"  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]\n"
        f"  egress: [{{action: {action}, to: [{peer}]}}]\n"
    )


def name_space(name: str, stage: str) -> str:
    return (
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: "
        f"{{stage: {stage}}}}}\n"
    )


PEERS = st.sampled_from(
    [
        "{podSelector: {matchLabels: {app: web}}}",
        "{podSelector: {matchLabels: {tier: front}}}",
        "{podSelector: {matchExpressions: [{key: zone, operator: DoesNotExist}]}}",
        "{namespaceSelector: {matchLabels: {stage: prod}}}",
        "{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}",
        "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}",
    ]
)
OTHER_PEERS = st.sampled_from(
    [
        "{serviceAccounts: [{namespace: red, name: robot}]}",
        "{serviceAccounts: [{namespace: green, name: default}]}",
        "{overlayCIDRs: ['fd00::/8']}",
        "{pods: {podSelector: {matchLabels: {tier: front}}}}",
    ]
)
CLUSTER_PEERS = st.sampled_from(
    [
        "{networks: [10.0.0.0/8]}",
        "{nodes: {matchLabels: {role: worker}}}",
        "{namespaces: {matchExpressions: [{key: stage, operator: NotIn, "
        "values: [prod]}]}}",
    ]
)
NAMES = st.sampled_from(NAMESPACES)
APP = st.sampled_from(APPS)
TIER = st.sampled_from(["front", "back"])
STAGE = st.sampled_from(["prod", "dev"])
ADDRESS = st.sampled_from(["10.0.0.1", "10.1.0.1", "192.0.2.17", "fd12::1"])


def in_namespace(
    write: Callable[..., str], *values: st.SearchStrategy[str]
) -> st.SearchStrategy[tuple[str, str]]:
    """Draw a document, and the namespace whose file it is in."""
    return st.tuples(NAMES, APP, *values).map(lambda drawn: (drawn[0], write(*drawn)))


DOCUMENTS = st.one_of(
    in_namespace(workload, TIER),
    in_namespace(workload, TIER, st.just("true")),
    in_namespace(pod, TIER, ADDRESS),
    in_namespace(service),
    in_namespace(network_policy, PEERS, st.sampled_from(["80", "http"])),
    in_namespace(
        overlay_policy,
        st.sampled_from(["/a", "/b"]),
        st.sampled_from(["enforce", "audit"]),
    ),
    st.builds(
        lambda *drawn: (MESH_WIDE, system_policy(*drawn)), APP, OTHER_PEERS, STAGE
    ),
    st.builds(
        lambda *drawn: (MESH_WIDE, cluster_policy(*drawn)),
        st.sampled_from(["guard", "other"]),
        st.sampled_from(["Admin", "Baseline"]),
        STAGE,
        st.sampled_from(["Deny", "Pass", "Accept"]),
        CLUSTER_PEERS,
    ),
    st.builds(lambda name, stage: (name, name_space(name, stage)), NAMES, STAGE),
    st.builds(lambda name: (name, "# comment\n"), NAMES),
)
FAULTS = st.one_of(
    st.builds(lambda name: (name, "kind: 1: 2\n"), NAMES),
    st.builds(lambda name: (MESH_WIDE, workload(name, "web", "extra")), NAMES),
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


class Builds:
    """Builds of the same files and lock, with a memory and without one."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.lock: Lock | None = None
        self.texts = LockTextMemory()

    def check(self, files: Files) -> bool:
        """Build twice, and go on with the lock; return whether it was possible."""
        found, fresh = self._build(files, self.memory), self._build(files, Memory())
        if isinstance(fresh, ToolError) or isinstance(found, ToolError):
            assert isinstance(fresh, ToolError) and isinstance(found, ToolError)
            assert found.diagnostics == fresh.diagnostics
            return False
        assert found.module == fresh.module
        assert found.table == fresh.table
        assert (found.lock, found.overlay) == (fresh.lock, fresh.overlay)
        assert found.diagnostics == fresh.diagnostics
        assert facts_of(found) == facts_of(fresh)
        assert write_lock(found.lock, self.texts) == write_lock(fresh.lock)
        self.lock = found.lock
        return True

    def _build(self, files: Files, memory: Memory) -> Built | ToolError:
        sources = [
            SourceFile(f"{name}.yaml", "---\n".join(documents))
            for name, documents in sorted(files.items())
        ]
        try:
            model = load_sources(sources, memory=memory.load).model
            return build_mesh(
                model, self.lock, member_cidrs=MEMBER_CIDRS, memory=memory
            )
        except ToolError as error:
            return error


def facts_of(built: Built) -> list[object]:
    """What comparisons of members leave out."""
    return [m.facts for w in built.overlay.workloads for m in w.members]


MEMBER_CIDRS = [IPv4Network("10.1.0.0/16")]
Step = tuple[tuple[str, str], int, bool]
EDITS = st.tuples(DOCUMENTS, st.integers(0, 3), st.sampled_from([False, False, True]))
STEPS = EDITS | st.tuples(FAULTS, st.integers(0, 3), st.just(False))


@settings(max_examples=40)
@given(st.lists(EDITS, max_size=12), st.lists(STEPS, min_size=1, max_size=4))
def test_same_as_without(start: list[Step], steps: list[Step]) -> None:
    """Each edit is made, undone, and made again."""
    # A module follows from its table, and takes longer than all the rest.
    with mock.patch("generator.build.compile_filter", lambda table, _: table):
        check_edits(start, steps)


def check_edits(start: list[Step], steps: list[Step]) -> None:
    files: Files = {}
    for name in NAMESPACES:
        edit(files, name, workload(name, "web", "front"), 0, False)
    for (name, document), where, is_removed in start:
        edit(files, name, document, where, is_removed)
    builds = Builds()
    builds.check(files)
    for (name, document), where, is_removed in steps:
        edited = {**files}
        edit(edited, name, document, where, is_removed)
        is_good = [builds.check(each) for each in (edited, files, edited)]
        files = edited if all(is_good) else files
        if builds.lock and builds.lock.workloads:
            row = builds.lock.workloads[where % len(builds.lock.workloads)]
            builds.lock = revoke(builds.lock, row.id)


ERRORS = {
    "no YAML": ("red", "kind: 1: 2\n"),
    "a policy twice": (MESH_WIDE, network_policy("red", "web", "{}", "80")),
    # Two pods of one workload whose port has two numbers, which no label tells apart.
    "ports that differ": (
        "red",
        pod("red", "web", "front", "10.0.0.1").replace("robot", "default"),
    ),
    "a host name twice": (
        "red",
        service("red", "web") + "---\n" + service("red", "web").replace("80", "81"),
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_found_and_forgotten(error: str) -> None:
    builds = Builds()
    good: Files = {}
    selector = "{podSelector: {matchLabels: {app: web}}}"
    for name in NAMESPACES:
        edit(good, name, workload(name, "web", "front"), 0, False)
        edit(good, name, network_policy(name, "web", selector, "http"), 1, False)
    name, document = ERRORS[error]
    bad = {**good, name: [*good.get(name, []), document]}
    for files, is_good in ((good, True), (bad, False), (bad, False), (good, True)):
        builds.check(files)
        assert isinstance(builds._build(files, builds.memory), Built) == is_good


def test_what_an_edit_does_not_touch_is_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The equality of results would not tell that a memory remembers nothing."""
    made: Counter[str] = Counter()

    def count(module: object, name: str) -> None:
        function = getattr(module, name)

        def counted(*given: object) -> object:
            made[name] += 1
            return function(*given)

        monkeypatch.setattr(module, name, counted)

    sources = list(big_mesh(Size(6)))
    memory = Memory()

    def build() -> Built:
        model = load_sources(sources, memory=memory.load).model
        return build_mesh(model, lock, memory=memory)

    lock = None
    lock = build().lock
    assert build().lock == lock  # the first one that has a lock
    count(members, "_make")
    count(workloads, "_group")
    count(targets, "_find")
    count(rules, "read_statements")
    count(selections, "_pick")
    count(subjects, "make_draft")
    count(packing, "pack_rows")
    build()
    assert not made
    place = next(n for n, s in enumerate(sources) if "- port: 443\n" in s.text)
    text = sources[place].text.replace("- port: 443\n", "- port: 8443\n", 1)
    sources[place] = SourceFile(sources[place].name, text)
    build()
    assert made["_make"] == 1 and made["read_statements"] == 10
    assert 0 < made["make_draft"] <= 20 and 0 < made["pack_rows"] <= 3
    assert not made["_group"] + made["_find"]


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


def test_kept_by_name_while_what_it_is_made_of_is_equal() -> None:
    made: list[list[int]] = []

    def make(numbers: list[int]) -> int:
        made.append(numbers)
        return sum(numbers)

    kept: Kept[str, list[int], int] = Kept()
    for numbers in ([1, 2], [1, 2], [3], [3], [1, 2]):
        kept.start()
        assert kept.get("a", numbers, make) == sum(numbers)
        assert kept.get("b", [0], make) == 0
    assert made == [[1, 2], [0], [3], [1, 2]]


def test_attached_to_the_very_same_object() -> None:
    made: list[object] = []

    def make(numbers: list[int]) -> int:
        made.append(numbers)
        return sum(numbers)

    attached: Attached[list[int], int] = Attached()
    one, equal = [1, 2], [1, 2]
    for numbers in (one, one, equal, one):
        attached.start()
        assert attached.get(numbers, make) == 3
    # Each round forgets the other object.
    assert [numbers is one for numbers in made] == [True, False, True]


def test_same_objects() -> None:
    one, equal = [1], [1]
    assert Same([one]) == Same((one,)) and Same([one]) != Same([equal])
    assert Same([one]) != Same([one, one]) and Same([]) == Same([])

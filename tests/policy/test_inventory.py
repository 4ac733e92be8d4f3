"""Namespaces, members and Services from manifests."""

from __future__ import annotations

from ipaddress import ip_address
from textwrap import dedent

import pytest

from generator.policy.model import (
    NAME_LABEL,
    ContainerPort,
    Member,
    Namespace,
    Protocol,
    Service,
    ServicePort,
)
from tests.support.loading import diagnose, load_text, model_of

TCP, UDP = Protocol.TCP, Protocol.UDP


def members_of(text: str) -> tuple[Member, ...]:
    return model_of(dedent(text)).members


def member_of(text: str) -> Member:
    (member,) = members_of(text)
    return member


def names_of(text: str) -> list[str]:
    return [f"{m.kind} {m.namespace}/{m.name}" for m in members_of(text)]


# --- namespaces -----------------------------------------------------------------------


def test_namespace_gets_its_name_label() -> None:
    """ "Always set the name label to its name": also where the manifest lies."""
    model = model_of("""\
        apiVersion: v1
        kind: NamespaceList
        items:
        - metadata: {name: shop, labels: {team: a}}
        - metadata: {name: bank}
        - metadata: {name: mall, labels: {kubernetes.io/metadata.name: mine}}
        """)
    labels = {name: dict(each.labels) for name, each in model.namespaces.items()}
    assert labels == {
        "shop": {"team": "a", NAME_LABEL: "shop"},
        "bank": {NAME_LABEL: "bank"},
        "mall": {NAME_LABEL: "mall"},
    }
    assert all(each.is_declared for each in model.namespaces.values())


def test_namespace_that_is_only_mentioned_exists() -> None:
    model = model_of("""\
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: one}, spec: {}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: a, namespace: two}, spec: {}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: three}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}}
        """)
    assert [
        Namespace(name, {NAME_LABEL: name}, is_declared=False)
        for name in ("one", "two", "three", "default")
    ] == list(model.namespaces.values())


# --- pods -----------------------------------------------------------------------------


def test_pod() -> None:
    member = member_of("""\
        apiVersion: v1
        kind: Pod
        metadata:
          name: web
          namespace: shop
          labels: {app: web}
          managedFields: [{manager: kubectl, fieldsV1: {"f:metadata": {}}}]
        spec:
          serviceAccountName: seller
          containers:
          - name: web
            ports:
            - {name: http, containerPort: 8080, hostPort: 80}
            - {containerPort: 53, protocol: UDP}
          - name: metrics
            ports: [{containerPort: 9090}, {name: http, containerPort: 8080}]
        status:
          phase: Running
          podIP: 10.0.0.1
          podIPs: [{ip: 10.0.0.1}, {ip: "2001:db8::1"}]
        """)
    assert member.span is not None and str(member.span) == "test.yaml:4:9"
    assert member == Member(
        "Pod",
        "shop",
        "web",
        {"app": "web"},
        "seller",
        (
            ContainerPort("http", 8080, TCP),
            ContainerPort("", 53, UDP),
            ContainerPort("", 9090, TCP),
        ),
        (ip_address("10.0.0.1"), ip_address("2001:db8::1")),
        False,
        member.span,
    )


def test_pod_defaults() -> None:
    member = member_of("""\
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: , namespace: ""}
        spec: {hostNetwork: true, containers: [{ports: null}]}
        status: {podIP: ""}
        """)
    assert (member.namespace, member.service_account) == ("default", "default")
    assert (member.labels, member.ports, member.addresses) == ({}, (), ())
    assert member.host_network


def test_service_account_has_a_deprecated_alias() -> None:
    spec = (
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {serviceAccount: b%s}}"
    )
    assert member_of(spec % "").service_account == "b"
    assert member_of(spec % ", serviceAccountName: c").service_account == "c"


def test_sidecars_count_and_init_containers_do_not() -> None:
    member = member_of("""\
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec:
          containers: [{ports: [{containerPort: 1}]}]
          initContainers:
          - {restartPolicy: Always, ports: [{containerPort: 2}]}
          - {ports: [{containerPort: 3}]}
          ephemeralContainers: [{ports: [{containerPort: 4}]}]
        """)
    assert [port.number for port in member.ports] == [1, 2]


@pytest.mark.parametrize(
    "phase, count", [("Succeeded", 0), ("Failed", 0), ("Pending", 1)]
)
def test_finished_pods_are_left_out(phase: str, count: int) -> None:
    """antrea#6507: another pod may have their address by now."""
    text = f"""\
        apiVersion: v1
        kind: Pod
        metadata: {{name: web}}
        spec: {{}}
        status: {{phase: {phase}, podIP: 10.0.0.1}}
        """
    assert len(members_of(text)) == count


# --- controllers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "group, kind",
    [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("extensions/v1beta1", "DaemonSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
    ],
)
def test_controller(group: str, kind: str) -> None:
    member = member_of(f"""\
        apiVersion: {group}
        kind: {kind}
        metadata: {{name: web, labels: {{not: these}}}}
        spec:
          replicas: 3
          selector: {{}}
          template:
            metadata: {{labels: {{app: web}}}}
            spec: {{serviceAccountName: seller, containers: []}}
        """)
    assert (member.kind, member.name) == (kind, "web")
    assert (member.labels, member.service_account) == ({"app": "web"}, "seller")


def test_cron_job() -> None:
    member = member_of("""\
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: nightly}
        spec:
          jobTemplate:
            metadata: {labels: {not: these}}
            spec:
              template:
                metadata: {labels: {app: nightly}}
                spec: {}
        """)
    assert (member.kind, member.labels) == ("CronJob", {"app": "nightly"})


def test_workload_entry() -> None:
    text = """\
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: vm, namespace: shop}
        spec:
          address: %s
          labels: {app: legacy}
          serviceAccount: vm-account
          ports: {http: 8080, grpc: 9090}
        """
    member = member_of(text % "192.0.2.7")
    assert member.addresses == (ip_address("192.0.2.7"),)
    assert (member.kind, member.service_account) == ("WorkloadEntry", "vm-account")
    assert member.ports == (
        ContainerPort("http", 8080, TCP),
        ContainerPort("grpc", 9090, TCP),
    )
    assert member_of(text % "vm.example.org").addresses == ()
    assert member_of(text % "unix:///run/app.sock").addresses == ()


def test_kinds_of_other_groups_are_not_ours() -> None:
    loaded = load_text("""\
        {apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}}
        ---
        {apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: {name: a}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
        """)
    assert (loaded.model.members, loaded.model.services) == ((), ())
    (found,) = loaded.diagnostics
    assert (found.code, found.severity) == ("INP0012", "info")
    kinds = "ConfigMap (2), Job (1), Service (1)"
    assert found.message == f"skipped 4 objects of other kinds: {kinds}"


# --- owners and merging ---------------------------------------------------------------


def pod(name: str, owner: str, labels: str, extra: str = "") -> str:
    kind, _, owner_name = owner.partition(" ")
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{{labels}}}
  ownerReferences: [{{kind: {kind}, name: {owner_name}, controller: true}}]
spec: {{{extra}}}
---
"""


def controller(
    kind: str, name: str, labels: str, *, owner: str = "", replicas: int = 1
) -> str:
    owner_kind, _, owner_name = owner.partition(" ")
    reference = f"{{kind: {owner_kind}, name: {owner_name}, controller: true}}"
    template = f"{{metadata: {{labels: {{{labels}}}}}, spec: {{}}}}"
    if kind == "CronJob":
        template = f"{{}}, jobTemplate: {{spec: {{template: {template}}}}}"
    group = "batch" if kind in ("Job", "CronJob") else "apps"
    return f"""\
apiVersion: {group}/v1
kind: {kind}
metadata: {{name: {name}, ownerReferences: [{reference if owner else ""}]}}
spec: {{replicas: {replicas}, template: {template}}}
---
"""


SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: %s}\n---\n"


def test_pods_of_one_owner_are_one_member() -> None:
    name = "statefulset.kubernetes.io/pod-name"
    text = pod("db-0", "StatefulSet db", f"app: db, {name}: db-0")
    text += pod("db-1", "StatefulSet db", f"app: db, {name}: db-1")
    member = member_of(text)
    assert (member.kind, member.name, member.labels) == (
        "StatefulSet",
        "db",
        {"app": "db"},
    )


def test_pods_of_one_owner_that_a_policy_tells_apart_are_two_members() -> None:
    name = "statefulset.kubernetes.io/pod-name"
    text = pod("db-0", "StatefulSet db", f"app: db, {name}: db-0")
    text += pod("db-1", "StatefulSet db", f"app: db, {name}: db-1")
    text += "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    text += "metadata: {name: p}\nspec:\n  podSelector:\n"
    text += f"    matchLabels: {{{name}: db-0}}\n"
    loaded = load_text(text)
    assert [m.labels[name] for m in loaded.model.members] == ["db-0", "db-1"]
    assert {m.name for m in loaded.model.members} == {"db"}
    assert "POL0023" in [d.code for d in loaded.diagnostics]


def test_what_else_tells_pods_apart() -> None:
    """A Service's selector, a port name in use, the account, the host network."""
    one = pod("a-0", "StatefulSet a", "app: a, canary: x")
    port = "containers: [{ports: [{name: http, containerPort: 80}]}]"
    assert len(members_of(one + pod("a-1", "StatefulSet a", "app: a"))) == 1
    labels = "app: a, canary: x"
    canary = SERVICE % "{selector: {canary: x}}"
    assert len(members_of(one + pod("a-1", "StatefulSet a", "app: a") + canary)) == 2
    with_port = one + pod("a-1", "StatefulSet a", labels, port)
    (merged,) = members_of(with_port)
    assert [p.name for p in merged.ports] == ["http"]
    by_name = SERVICE % "{ports: [{port: 80, targetPort: http}]}"
    assert len(members_of(with_port + by_name)) == 2
    other = pod("a-1", "StatefulSet a", labels, "serviceAccountName: b")
    assert len(members_of(one + other)) == 2
    other = pod("a-1", "StatefulSet a", labels, "hostNetwork: true")
    assert len(members_of(one + other)) == 2


def test_pods_merge_with_the_manifest_of_their_owner() -> None:
    """A live pod has labels and sidecars that its template does not have."""
    text = pod("web-5f-x", "ReplicaSet web-5f", "app: web, pod-template-hash: 5f")
    text += "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web-5f-y\n"
    text += "  labels: {app: web, pod-template-hash: 5f}\n"
    text += "  ownerReferences: [{kind: ReplicaSet, name: web-5f, controller: true}]\n"
    text += "spec: {}\nstatus: {podIP: 10.0.0.9}\n---\n"
    text += controller("Deployment", "web", "app: web")
    member = member_of(text)
    assert (member.kind, member.name) == ("Deployment", "web")
    assert member.labels == {"app": "web"}
    assert member.addresses == (ip_address("10.0.0.9"),)


HASH = "app: web, pod-template-hash: 5f"


@pytest.mark.parametrize(
    "text, expected",
    [
        # Nothing is known of the ReplicaSet: it is the owner, as np-guard prints it.
        (pod("p", "ReplicaSet web-5f", HASH), "ReplicaSet default/web-5f"),
        # Its manifest says who owns it.
        (
            pod("p", "ReplicaSet web-5f", HASH)
            + controller("ReplicaSet", "web-5f", HASH, owner="Deployment web"),
            "Deployment default/web",
        ),
        (
            controller("ReplicaSet", "web-5f", HASH, owner="Rollout web"),
            "Rollout default/web",
        ),
        # The Deployment's manifest is there, and the hash fits.
        (
            controller("ReplicaSet", "web-5f", HASH)
            + controller("Deployment", "web", "app: web"),
            "Deployment default/web",
        ),
        # A ReplicaSet of its own whose name ends like a hash.
        (controller("ReplicaSet", "web-5f", "app: web"), "ReplicaSet default/web-5f"),
        # Jobs of a CronJob, by reference or by name.
        (
            pod("p", "Job nightly-2871", "app: job")
            + controller("Job", "nightly-2871", "app: job", owner="CronJob nightly"),
            "CronJob default/nightly",
        ),
        (
            pod("p", "Job nightly-2871", "app: job")
            + controller("CronJob", "nightly", "app: job"),
            "CronJob default/nightly",
        ),
        (pod("p", "Job nightly-2871", "app: job"), "Job default/nightly-2871"),
        # A Deployment stays one, whatever operator made it.
        (
            controller("Deployment", "web", "app: web", owner="Shop main"),
            "Deployment default/web",
        ),
        # The kubelet's static pods belong to nobody; an unknown controller is an owner.
        (pod("etcd-n1", "Node n1", "app: etcd"), "Pod default/etcd-n1"),
        (pod("p", "GameServer g", "app: g"), "GameServer default/g"),
        # References to each other end.
        (
            controller("ReplicaSet", "a", "app: a", owner="ReplicaSet b")
            + controller("ReplicaSet", "b", "app: a", owner="ReplicaSet a")
            + controller("Deployment", "c", "app: c"),
            "",
        ),
    ],
)
def test_outermost_owner(text: str, expected: str) -> None:
    found = names_of(text)
    assert found == [expected] if expected else len(found) == 3


def test_owner_without_a_kind_is_shown_as_a_pod() -> None:
    text = """\
        apiVersion: v1
        kind: Pod
        metadata: {name: p, ownerReferences: [{name: boss, controller: true}]}
        spec: {}
        """
    assert names_of(text) == ["Pod default/boss"]
    assert names_of(text.replace("true", "false")) == ["Pod default/p"]


def test_old_replica_sets_are_no_endpoints() -> None:
    text = controller("Deployment", "web", "app: web, version: v2")
    old = "app: web, version: v1, pod-template-hash: 4e"
    text += controller("ReplicaSet", "web-4e", old, owner="Deployment web", replicas=0)
    text += SERVICE % "{selector: {version: v2}}"
    assert member_of(text).labels == {"app": "web", "version": "v2"}
    alone = controller("ReplicaSet", "web", "app: web", replicas=0)
    assert names_of(alone) == ["ReplicaSet default/web"]


def test_same_object_twice_is_one() -> None:
    text = controller("Deployment", "web", "app: web")
    assert len(members_of(text + text)) == 1
    namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
    assert diagnose(namespace + namespace) == ()


def test_same_name_of_two_kinds_stays_two_members_with_a_warning() -> None:
    text = controller("Deployment", "web", "app: web")
    text += controller("StatefulSet", "web", "app: web")
    loaded = load_text(text)
    assert [m.kind for m in loaded.model.members] == ["Deployment", "StatefulSet"]
    assert [d.code for d in loaded.diagnostics] == ["POL0017"]


# --- services -------------------------------------------------------------------------


def service_of(spec: str) -> Service:
    (service,) = model_of(SERVICE % spec).services
    return service


def test_service() -> None:
    service = service_of(
        "{clusterIP: None, selector: {app: web}, ports: ["
        "{name: http, port: 80, targetPort: 8080, nodePort: 30080},"
        "{name: dns, port: 53, targetPort: dns, protocol: UDP}, {port: 9}]}"
    )
    assert service == Service(
        "default",
        "s",
        {"app": "web"},
        (
            ServicePort("http", 80, 8080, TCP),
            ServicePort("dns", 53, "dns", UDP),
            ServicePort("", 9, 9, TCP),
        ),
        service.span,
    )


@pytest.mark.parametrize(
    "spec",
    [
        "{}",
        "{selector: null}",
        "{selector: {}}",
        "{type: ExternalName, selector: {app: web}, externalName: example.org}",
    ],
)
def test_service_without_endpoints_of_its_own(spec: str) -> None:
    assert service_of(spec).selector is None

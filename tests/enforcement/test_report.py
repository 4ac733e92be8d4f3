"""What a proxy can do about each rule, and why not more."""

from __future__ import annotations

import pytest

from generator.enforcement.model import Reason, Row, Status
from generator.enforcement.report import enforcement
from generator.enforcement.sidecars import Sidecar, sidecar_of
from generator.lint.ground import Ground
from generator.policy.model import Member, PodFacts
from tests.support.loading import model_of
from tests.support.meshes import deployment, namespace, pod, policy, service

ENFORCED, APPROXIMATED, IMPOSSIBLE = Status
CART = deployment("cart", ports="[{name: http, containerPort: 7070}]")
WEB = deployment("web")
FROM_WEB = "from: [{podSelector: {matchLabels: {app: web}}}]"


def rows(text: str) -> dict[str, Row]:
    return {row.name: row for row in enforcement(Ground(model_of(text)))}


def rule(text: str, rules: str, direction: str = "ingress") -> Row:
    """The row of the only rule of a policy about the cart."""
    types = direction.capitalize()
    spec = (
        f"{{podSelector: {{matchLabels: {{app: cart}}}}, policyTypes: [{types}], "
        f"{direction}: [{rules}]}}"
    )
    found = rows(namespace() + text + policy("p", spec))
    return found[f"NetworkPolicy/shop/p/{direction}/0"]


def ids(row: Row) -> dict[str, Status]:
    return {reason.id: reason.status for reason in row.reasons}


def reason(row: Row, wanted: str) -> Reason:
    (found,) = [reason for reason in row.reasons if reason.id == wanted]
    return found


def with_pod(text: str, *, metadata: str = "", spec: str = "") -> str:
    """Add fields to the pod template of a Deployment."""
    return text.replace("    metadata: {", f"    metadata: {{{metadata}").replace(
        "      containers:", f"{spec}      containers:"
    )


def test_http_port_of_tcp_is_enforced() -> None:
    row = rule(CART + WEB, f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}")
    assert (row.status, row.reasons) == (ENFORCED, ())


# --- protocols ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ports, expected",
    [
        ("[{port: 53, protocol: UDP}]", {"udp": IMPOSSIBLE}),
        ("[{port: 7, protocol: SCTP}]", {"sctp": IMPOSSIBLE}),
        ("[{port: 53, protocol: UDP}, {port: 53}]", {"udp": APPROXIMATED}),
        ("[{port: 1, protocol: UDP}, {port: 1, protocol: SCTP}]", None),
    ],
)
def test_what_does_not_pass_through_a_proxy(
    ports: str, expected: dict[str, Status] | None
) -> None:
    both = {"udp": IMPOSSIBLE, "sctp": IMPOSSIBLE}
    found = ids(rule(CART + WEB, f"{{{FROM_WEB}, ports: {ports}}}"))
    assert found == (both if expected is None else expected)


def test_all_protocols_are_more_than_tcp() -> None:
    assert ids(rule(CART + WEB, f"{{{FROM_WEB}}}")) == {"all-protocols": APPROXIMATED}


def test_isolation_has_a_row() -> None:
    found = rows(namespace() + CART + policy("p", "{podSelector: {}}"))
    assert list(found) == ["NetworkPolicy/shop/p/ingress/default"]
    assert ids(found["NetworkPolicy/shop/p/ingress/default"]) == {
        "all-protocols": APPROXIMATED
    }


def test_plain_tcp_is_not_judged() -> None:
    redis = deployment("cart", ports="[{name: redis, containerPort: 6379}]")
    row = rule(redis + WEB, f"{{{FROM_WEB}, ports: [{{port: 6379}}]}}")
    assert ids(row) == {"plain-tcp": IMPOSSIBLE}
    both = "[{name: redis, containerPort: 6379}, {name: http, containerPort: 80}]"
    row = rule(
        deployment("cart", ports=both) + WEB,
        f"{{{FROM_WEB}, ports: [{{port: 6379}}, {{port: 80}}]}}",
    )
    assert ids(row) == {"plain-tcp": APPROXIMATED}


def test_rules_about_requests_are_not_about_other_protocols() -> None:
    text = """\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: p, namespace: shop}
spec:
  subject: {pods: {podSelector: {}}}
  ingress: [{http: [{methods: [GET]}]}]
"""
    found = rows(namespace() + CART + text)
    assert found["OverlayPolicy/shop/p/ingress/0"].status is ENFORCED


# --- ends -----------------------------------------------------------------------------


def test_host_network_subject() -> None:
    node = pod("node", labels="{app: cart}", host_network=True)
    ports = f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}"
    assert ids(rule(CART + WEB + node, ports)) == {"host-network-subject": APPROXIMATED}
    assert ids(rule(WEB + node, ports)) == {"host-network-subject": IMPOSSIBLE}


def test_host_network_peer() -> None:
    node = pod("node", labels="{app: web}", host_network=True)
    ports = f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}"
    assert ids(rule(CART + WEB + node, ports)) == {"host-network-peer": APPROXIMATED}
    assert ids(rule(CART + node, ports)) == {"host-network-peer": IMPOSSIBLE}
    block = ports.replace("from: [", "from: [{ipBlock: {cidr: 192.0.2.0/24}}, ")
    assert ids(rule(CART + node, block)) == {"host-network-peer": APPROXIMATED}


INJECT = 'sidecar.istio.io/inject: "false"'


@pytest.mark.parametrize("setting", ["label", "annotation"])
def test_pods_without_a_sidecar(setting: str) -> None:
    def bare(name: str, text: str) -> str:
        if setting == "annotation":
            return with_pod(text, metadata=f"annotations: {{{INJECT}}}, ")
        labels = f"labels: {{app: {name}}}"
        return text.replace(labels, f"labels: {{app: {name}, {INJECT}}}", 1)

    ports = f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}"
    subject = rule(bare("cart", CART) + WEB, ports)
    peer = rule(CART + bare("web", WEB), ports)
    assert ids(subject) == {"no-sidecar-subject": APPROXIMATED}
    assert ids(peer) == {"no-sidecar-peer": IMPOSSIBLE}
    assert 'sidecar.istio.io/inject is "false"' in reason(peer, "no-sidecar-peer").text
    block = ports.replace("from: [", "from: [{ipBlock: {cidr: 192.0.2.0/24}}, ")
    peer = rule(CART + bare("web", WEB), block)
    assert ids(peer) == {"no-sidecar-peer": APPROXIMATED}


def test_who_is_called_needs_no_sidecar() -> None:
    """The caller's own sidecar judges egress."""
    web = with_pod(WEB, metadata=f"annotations: {{{INJECT}}}, ")
    to_web = "{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}"
    assert ids(rule(CART + web, to_web, "egress")) == {}


def test_namespace_without_injection() -> None:
    spec = f"{{podSelector: {{}}, ingress: [{{{FROM_WEB}, ports: [{{port: 1}}]}}]}}"
    text = CART + WEB + policy("p", spec)
    off = namespace(labels="{istio-injection: disabled}")
    found = rows(off + text)["NetworkPolicy/shop/p/ingress/0"]
    assert set(ids(found)) == {"no-sidecar-subject", "no-sidecar-peer"}
    asked = 'annotations: {sidecar.istio.io/inject: "true"}, '
    found = rows(off + with_pod(text, metadata=asked))["NetworkPolicy/shop/p/ingress/0"]
    assert found.reasons == ()


def test_nodes_names_and_via() -> None:
    text = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: p}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress:
  - action: Accept
    to: [{nodes: {}}]
    protocols: &tcp [{tcp: {destinationPort: {number: 443}}}]
  - {action: Deny, to: [{nodes: {}}], protocols: *tcp}
  - action: Accept
    to: [{domainNames: [example.com]}, {namespaces: {}}]
    protocols: *tcp
---
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {name: p, namespace: shop}
spec:
  subject: {pods: {podSelector: {}}}
  ingress: [{ports: [{port: 7070}], via: [waf]}]
"""
    found = rows(namespace() + CART + text)
    names = [f"ClusterNetworkPolicy/p/egress/{number}" for number in range(3)]
    assert [ids(found[name]) for name in names] == [
        {"nodes": IMPOSSIBLE},
        {"nodes": APPROXIMATED},
        {"domain-names": APPROXIMATED},
    ]
    assert ids(found["OverlayPolicy/shop/p/ingress/0"]) == {"via": IMPOSSIBLE}


# --- interception ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "key, value, status",
    [
        ("excludeInboundPorts", "7070", IMPOSSIBLE),
        ("excludeInboundPorts", "15020, 7070", IMPOSSIBLE),
        ("excludeInboundPorts", "*", IMPOSSIBLE),
        ("excludeInboundPorts", "7071", None),
        ("excludeOutboundPorts", "7070", None),
        ("includeInboundPorts", "*", None),
        ("includeInboundPorts", "8080", IMPOSSIBLE),
        ("includeInboundPorts", "7070", None),
        ("includeInboundPorts", "", IMPOSSIBLE),
    ],
)
def test_inbound_ports_that_are_excluded(
    key: str, value: str, status: Status | None
) -> None:
    note = f'annotations: {{traffic.sidecar.istio.io/{key}: "{value}"}}, '
    cart = with_pod(CART, metadata=note)
    row = rule(cart + WEB, f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}")
    assert ids(row) == ({} if status is None else {"excluded-inbound-ports": status})
    row = rule(cart + WEB, f"{{{FROM_WEB}, ports: [{{port: 7070}}, {{port: 9090}}]}}")
    if status and value not in ("*", "", "8080"):
        assert ids(row) == {"excluded-inbound-ports": APPROXIMATED}


def test_outbound_ports_and_ranges_that_are_excluded() -> None:
    cart = with_pod(
        CART,
        metadata="annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: "
        '"5432", traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.0.0.0/8}, ',
    )

    def out(cidr: str, port: int) -> dict[str, Status]:
        peer = f"to: [{{ipBlock: {{cidr: {cidr}}}}}]"
        row = rule(cart, f"{{{peer}, ports: [{{port: {port}}}]}}", "egress")
        return ids(row)

    ranges, ports = "excluded-outbound-ranges", "excluded-outbound-ports"
    assert out("192.0.2.0/24", 443) == {ranges: APPROXIMATED}
    assert out("10.1.0.0/16", 443) == {ranges: IMPOSSIBLE}
    assert out("192.0.2.0/24", 5432) == {ranges: APPROXIMATED, ports: IMPOSSIBLE}


def test_init_containers_send_too_early() -> None:
    init = "      initContainers: [{name: migrate, image: none}]\n"
    row = rule(with_pod(CART, spec=init) + WEB, "{ports: [{port: 443}]}", "egress")
    assert ids(row) == {"init-containers": APPROXIMATED}
    assert '"migrate"' in reason(row, "init-containers").text
    native = init.replace("image: none", "image: none, restartPolicy: Always")
    row = rule(with_pod(CART, spec=native) + WEB, "{ports: [{port: 443}]}", "egress")
    assert ids(row) == {}


def test_probes_of_the_kubelet() -> None:
    probed = CART.replace(
        "image: none,", "image: none, livenessProbe: {httpGet: {port: 7070}},"
    )
    isolated = policy("p", "{podSelector: {}}")
    name = "NetworkPolicy/shop/p/ingress/default"
    found = rows(namespace() + probed + isolated)[name]
    assert ids(found)["probes"] is ENFORCED
    assert "livenessProbe httpGet" in reason(found, "probes").text
    off = 'annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "false"}, '
    found = rows(namespace() + with_pod(probed, metadata=off) + isolated)[name]
    assert ids(found)["probes-denied"] is APPROXIMATED
    inside = probed.replace("httpGet: {port: 7070}", "exec: {command: [x]}")
    assert "probes" not in ids(rows(namespace() + inside + isolated)[name])


def test_facts_are_a_union_and_tell_no_members_apart() -> None:
    """One pod of an owner is enough; and they stay one member."""
    first = pod("a", "10.0.0.1", labels="{app: cart}", owner="cart")
    second = pod("b", "10.0.0.2", labels="{app: cart}", owner="cart").replace(
        "  labels: {app: cart}",
        '  labels: {app: cart}\n  annotations: {sidecar.istio.io/inject: "false"}',
    )
    model = model_of(namespace() + first + second)
    (member,) = model.members
    assert member.facts.settings == (("sidecar.istio.io/inject", "false"),)
    assert sidecar_of(member, model).missing


def test_unreadable_settings_are_left_aside() -> None:
    settings = (("traffic.sidecar.istio.io/excludeInboundPorts", "http,,80"),)
    facts = PodFacts(settings)
    model = model_of(namespace() + CART)
    member = Member("Pod", "shop", "x", {}, "default", facts=facts)
    assert sidecar_of(member, model) == Sidecar(inbound=((80, 80),))


def test_service_names_say_what_is_spoken() -> None:
    named = service("cart", 80, 7070, app="cart").replace("name: web", "name: tcp-x")
    row = rule(CART + WEB + named, f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}")
    assert ids(row) == {"plain-tcp": IMPOSSIBLE}

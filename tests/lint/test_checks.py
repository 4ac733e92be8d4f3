"""What checks find, what they leave alone, and what they say."""

from __future__ import annotations

import pytest

from tests.lint.support import codes_in, lint_text, only
from tests.support.meshes import deployment, namespace, pod, policy, service

SHOP = namespace() + deployment("web", ports="[{name: http, containerPort: 8080}]")
CART = deployment("cart", ports="[{name: http, containerPort: 7070}]")


def cluster_policy(name: str, tier: str, priority: int, spec: str) -> str:
    """A ClusterNetworkPolicy about all pods; `spec` is YAML in flow style."""
    return f"""\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: {name}}}
spec: {{tier: {tier}, priority: {priority}, subject: {{namespaces: {{}}}}, {spec}}}
---
"""


def overlay_policy(name: str, spec: str, annotations: str = "{}") -> str:
    return f"""\
apiVersion: pepmesh.dev/v1
kind: OverlayPolicy
metadata: {{name: {name}, namespace: shop, annotations: {annotations}}}
spec: {spec}
---
"""


def ingress(*rules: str) -> str:
    """A policy about the cart with some ingress rules."""
    subject = "podSelector: {matchLabels: {app: cart}}"
    return policy("cart-in", f"{{{subject}, ingress: [{', '.join(rules)}]}}")


DENY_ALL = cluster_policy(
    "deny", "Admin", 1, "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
)
FROM_WEB = "from: [{podSelector: {matchLabels: {app: web}}}]"


# --- whom policies are about --------------------------------------------------------


def test_without_workloads_lint_is_silent() -> None:
    """Policies alone, without inventory, are not the place for lint."""
    assert codes_in(namespace() + ingress("{}")) == []


def test_policy_about_the_host_network_only() -> None:
    text = SHOP + pod("node-agent", labels="{app: cart}", host_network=True)
    found = only(text + ingress("{}"), "LNT0001")
    assert "all that it selects is on the host network" in found.message


def test_policy_that_waits_for_workloads_is_a_remark() -> None:
    text = SHOP + CART + namespace("ops") + policy("p", "{}", namespace="ops")
    found = only(text, "LNT0002")
    assert 'there are no workloads in namespace "ops"' in found.message


@pytest.mark.parametrize(
    "selector, hint",
    [
        ("{matchLabels: {app: crat}}", "did you mean app=cart?"),
        ("{matchLabels: {ap: cart}}", 'did you mean the label "app"?'),
        ("{matchLabels: {app: unlike}}", ""),
        ("{matchExpressions: [{key: app, operator: DoesNotExist}]}", ""),
    ],
)
def test_misspelt_selectors_get_a_suggestion(selector: str, hint: str) -> None:
    found = only(SHOP + CART + policy("p", f"{{podSelector: {selector}}}"), "LNT0001")
    assert found.hint == hint


def test_requirements_that_never_meet() -> None:
    one = "{key: app, operator: In, values: [cart]}"
    other = "{key: app, operator: In, values: [web]}"
    both = f"[{one}, {other}]"
    found = only(
        SHOP + CART + policy("p", f"{{podSelector: {{matchExpressions: {both}}}}}"),
        "LNT0001",
    )
    assert (
        'no pod in namespace "shop" has app=cart and app=web together' in found.message
    )


def test_unknown_namespace_of_a_peer() -> None:
    peer = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shopp}}}"
    found = only(SHOP + CART + ingress(f"{{from: [{peer}]}}"), "LNT0003")
    assert 'there is no namespace "shopp" here' in found.message
    assert found.hint == "did you mean kubernetes.io/metadata.name=shop?"


def test_one_peer_of_two_is_found() -> None:
    """The rule still matches by the other one, so nothing else is said."""
    peers = (
        "{podSelector: {matchLabels: {app: web}}}, {podSelector: {matchLabels: {a: b}}}"
    )
    assert "LNT0003" in codes_in(SHOP + CART + ingress(f"{{from: [{peers}]}}"))


def test_two_peers_that_were_meant_as_one() -> None:
    ops = namespace("ops", "{team: platform}") + deployment("top", namespace="ops")
    peers = (
        "{namespaceSelector: {matchLabels: {team: platform}}}, "
        "{podSelector: {matchLabels: {app: top}}}"
    )
    found = only(SHOP + CART + ops + ingress(f"{{from: [{peers}]}}"), "LNT0003")
    assert found.hint.startswith("join both to one entry")
    assert len(found.notes) == 1
    other = peers.replace("app: top", "app: tip")
    found = only(SHOP + CART + ops + ingress(f"{{from: [{other}]}}"), "LNT0003")
    assert not found.hint.startswith("join both")


def test_service_account_that_nobody_runs_as() -> None:
    text = SHOP + CART.replace(
        "containers:", "serviceAccountName: till\n      containers:"
    )
    spec = (
        "{subject: {pods: {podSelector: {matchLabels: {app: web}}}}, "
        "ingress: [{from: [{serviceAccounts: [{name: tilt}]}]}]}"
    )
    found = only(text + overlay_policy("p", spec), "LNT0003")
    assert 'no workload runs as the service account "shop/tilt"' in found.message
    assert found.hint == "did you mean till?"


def test_groups_of_nobody() -> None:
    spec = "{subject: {namespaces: {}}, ingress: [{from: [{groups: [eng]}]}]}"
    text = overlay_policy("p", spec).replace(
        "namespace: shop", "namespace: pepmesh-system"
    )
    found = only(SHOP + text, "LNT0004")
    assert 'no edge endpoint belongs to the group "eng"' in found.message


def test_users_with_an_endpoint_are_fine() -> None:
    laptop = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: laptop, namespace: edge}
spec: {address: 10.9.9.9, labels: {pepmesh.dev/user: alice}}
---
"""
    edge = namespace("edge", '{pepmesh.dev/edge: "true"}')
    spec = "{subject: {pods: {podSelector: {}}}, ingress: [{from: [{users: [alice]}]}]}"
    assert "LNT0004" not in codes_in(SHOP + edge + laptop + overlay_policy("p", spec))
    assert "LNT0004" in codes_in(
        SHOP + namespace("edge") + laptop + overlay_policy("p", spec)
    )


# --- blocks -------------------------------------------------------------------------


def test_exceptions_that_leave_something() -> None:
    block = "{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/10]}}"
    assert "LNT0005" not in codes_in(SHOP + CART + ingress(f"{{from: [{block}]}}"))


def test_exceptions_that_leave_nothing_of_ipv6() -> None:
    halves = '["2001:db8::/33", "2001:db8:8000::/33"]'
    block = f'{{ipBlock: {{cidr: "2001:db8::/32", except: {halves}}}}}'
    assert "LNT0005" in codes_in(SHOP + CART + ingress(f"{{from: [{block}]}}"))


def test_address_of_a_pod_on_the_host_network_stays() -> None:
    node = pod("agent", "10.0.0.7", host_network=True)
    text = SHOP + CART + ingress("{from: [{ipBlock: {cidr: 10.0.0.7/32}}]}")
    assert "LNT0006" not in codes_in(text + node)
    assert "LNT0006" in codes_in(text + pod("agent", "10.0.0.7"))


# --- rules that decide nothing --------------------------------------------------------


def test_shadow_names_the_rules_that_come_first() -> None:
    rules = (
        "ingress: [{name: a, action: Accept, from: [{namespaces: {}}], protocols: "
        "[{tcp: {destinationPort: {range: {start: 1, end: 99}}}}]}, "
        "{name: b, action: Deny, from: [{namespaces: {}}], protocols: "
        "[{tcp: {destinationPort: {range: {start: 100, end: 199}}}}]}, "
        "{name: c, action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: "
        "{matchLabels: {app: web}}}}], protocols: "
        "[{tcp: {destinationPort: {range: {start: 90, end: 110}}}}]}]"
    )
    found = only(SHOP + CART + cluster_policy("p", "Admin", 5, rules), "LNT0010")
    assert found.message.startswith('ingress[2] "c" of ClusterNetworkPolicy "p"')
    assert [note.message.split()[1] for note in found.notes] == ['"a"', '"b"']
    wider = rules.replace("start: 90", "start: 90").replace("end: 110", "end: 200")
    assert "LNT0010" not in codes_in(
        SHOP + CART + cluster_policy("p", "Admin", 5, wider)
    )


def test_pass_shadows_within_its_tier_only() -> None:
    passing = "ingress: [{action: Pass, from: [{namespaces: {}}]}]"
    deny = "ingress: [{action: Deny, from: [{namespaces: {}}]}]"
    text = SHOP + CART + cluster_policy("first", "Admin", 1, passing)
    assert "LNT0010" in codes_in(text + cluster_policy("deny", "Admin", 2, deny))
    after = codes_in(text + cluster_policy("deny", "Baseline", 2, deny))
    assert not {"LNT0010", "LNT0011", "LNT0012"} & set(after)


def test_audited_rules_shadow_nothing() -> None:
    text = SHOP + CART + ingress(f"{{{FROM_WEB}}}")
    assert "LNT0011" in codes_in(text + DENY_ALL)
    audited = DENY_ALL.replace(
        "{name: deny}", "{name: deny, annotations: {pepmesh.dev/mode: audit}}"
    )
    assert "LNT0011" not in codes_in(text + audited)


def test_audited_rules_are_not_named_as_earlier() -> None:
    audit = "{name: audited, annotations: {pepmesh.dev/mode: audit}}"
    audited = DENY_ALL.replace("{name: deny}", audit).replace(
        "priority: 1", "priority: 0"
    )
    later = DENY_ALL.replace("{name: deny}", "{name: later}").replace(
        "priority: 1", "priority: 2"
    )
    found = only(SHOP + CART + audited + DENY_ALL + later, "LNT0010")
    assert [note.message for note in found.notes] == [
        'ingress[0] of ClusterNetworkPolicy "deny" decides before it'
    ]


def ordered(*rules: tuple[str, str]) -> str:
    """OverlayPolicies of the Admin tier about all pods: actions, and `http` or none."""
    texts = [
        overlay_policy(
            f"p{number}",
            f"{{tier: Admin, priority: {number}, subject: {{namespaces: {{}}}}, "
            f"ingress: [{{action: {action}, from: [{{namespaces: {{}}}}], "
            f"ports: [{{port: 7070}}]{http}}}]}}",
        )
        for number, (action, http) in enumerate(rules)
    ]
    system = "namespace: pepmesh-system, annotations"
    return "".join(texts).replace("namespace: shop, annotations", system)


def test_rules_about_requests_shadow_those_with_no_more_entries() -> None:
    get, put, both = (
        f", http: [{', '.join(f'{{methods: [{m}]}}' for m in methods)}]"
        for methods in (["GET"], ["PUT"], ["GET", "PUT"])
    )
    for first, second in [("", get), (get, get), (both, get)]:
        rules = ordered(("Deny", first), ("Accept", second))
        assert "LNT0010" in codes_in(SHOP + CART + rules), (first, second)
    for first, second in [(get, ""), (get, put), (get, both)]:
        rules = ordered(("Deny", first), ("Accept", second))
        assert "LNT0010" not in codes_in(SHOP + CART + rules), (first, second)


def test_requests_that_pass_are_left_to_the_next_tier() -> None:
    """Deny all but GET: a NetworkPolicy still decides about GET."""
    get = ", http: [{methods: [GET]}]"
    text = SHOP + CART + ingress(f"{{{FROM_WEB}, ports: [{{port: 7070}}]}}")
    assert "LNT0011" in codes_in(text + ordered(("Deny", "")))
    found = codes_in(text + ordered(("Pass", get), ("Deny", "")))
    assert not {"LNT0011", "LNT0012"} & set(found)


def test_exceptions_of_an_earlier_block_are_left() -> None:
    deny = "{{action: Deny, to: [{{networks: [{}]}}]}}"
    rules = f"egress: [{deny.format('10.0.0.0/9')}, {deny.format('10.0.0.0/8')}]"
    assert "LNT0010" not in codes_in(SHOP + cluster_policy("p", "Admin", 1, rules))
    block = "{{ipBlock: {{cidr: 10.0.0.0/8{}}}}}"
    wide, less = block.format(", except: [10.1.0.0/16]"), block.format("")
    inner = "{ipBlock: {cidr: 10.1.2.0/24}}"
    for first, is_redundant in [(wide, False), (less, True)]:
        text = SHOP + CART + ingress(f"{{from: [{first}]}}", f"{{from: [{inner}]}}")
        assert ("LNT0013" in codes_in(text)) == is_redundant


def test_accepted_by_admin_is_a_remark() -> None:
    accept = DENY_ALL.replace("Deny", "Accept")
    found = codes_in(SHOP + CART + ingress(f"{{{FROM_WEB}}}") + accept)
    assert "LNT0012" in found
    assert "LNT0011" not in found


def test_of_two_equal_rules_the_later_is_redundant() -> None:
    found = only(SHOP + CART + ingress(f"{{{FROM_WEB}}}", f"{{{FROM_WEB}}}"), "LNT0013")
    assert found.message.startswith("ingress[1] of")


def test_redundant_by_several_together() -> None:
    low, high, across = (
        f"{{{FROM_WEB}, ports: [{{port: {a}, endPort: {b}}}]}}"
        for a, b in ((7000, 7079), (7080, 7100), (7070, 7090))
    )
    found = only(SHOP + CART + ingress(low, high, across), "LNT0013")
    assert found.message.startswith("ingress[2] of")
    assert len(found.notes) == 2


def test_block_does_not_replace_pods_of_unknown_address() -> None:
    everywhere = "from: [{ipBlock: {cidr: 0.0.0.0/0}}]"
    text = SHOP + CART + ingress(f"{{{everywhere}}}", f"{{{FROM_WEB}}}")
    assert "LNT0013" not in codes_in(text)


# --- ports --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ports, hint",
    [
        ("{port: htttp}", 'did you mean "http"?'),
        ("{port: http, protocol: UDP}", "it is a port of TCP: set protocol"),
        (
            "{port: web}",
            "policies name container ports; this Service port leads to http there",
        ),
    ],
)
def test_named_port_that_nobody_has(ports: str, hint: str) -> None:
    text = SHOP + CART + service("cart", 80, "http", app="cart")
    assert only(text + ingress(f"{{ports: [{ports}]}}"), "LNT0020").hint == hint


def test_one_destination_with_the_name_is_enough() -> None:
    spec = (
        "{podSelector: {matchLabels: {app: cart}}, policyTypes: [Egress], egress: "
        "[{ports: [{port: http}]}, {ports: [{port: 53, protocol: UDP}]}]}"
    )
    assert "LNT0020" not in codes_in(SHOP + CART + policy("p", spec))


@pytest.mark.parametrize(
    "number, code", [(7070, ""), (7071, "LNT0021"), (80, "LNT0022")]
)
def test_numbered_ports(number: int, code: str) -> None:
    text = SHOP + CART + service("cart", 80, "http", app="cart")
    found = set(codes_in(text + ingress(f"{{ports: [{{port: {number}}}]}}")))
    assert found & {"LNT0021", "LNT0022"} == ({code} if code else set())


def test_undeclared_ports_are_no_finding_where_nothing_is_declared() -> None:
    text = namespace() + deployment("cart") + ingress("{ports: [{port: 7071}]}")
    assert "LNT0021" not in codes_in(text)


# --- HTTP ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, service_name, is_http",
    [
        ("redis", "", False),
        ("tcp-gossip", "", False),
        ("https", "", False),
        ("http-metrics", "", True),
        ("grpc-web", "", True),
        ("web", "", True),
        ("web", "tcp-web", False),
        ("redis", "http", True),
    ],
)
def test_what_is_spoken(name: str, service_name: str, is_http: bool) -> None:
    text = SHOP + deployment("cart", ports=f"[{{name: {name}, containerPort: 7070}}]")
    if service_name:
        text += service("cart", 80, 7070, app="cart").replace(
            "name: web", f"name: {service_name}"
        )
    spec = (
        "{subject: {pods: {podSelector: {matchLabels: {app: cart}}}}, "
        "ingress: [{ports: [{port: 7070}], http: [{methods: [GET]}]}]}"
    )
    assert ("LNT0030" not in codes_in(text + overlay_policy("p", spec))) == is_http


def test_http_on_all_ports_is_a_remark() -> None:
    spec = (
        "{subject: {pods: {podSelector: {}}}, ingress: [{%shttp: [{methods: [GET]}]}]}"
    )
    text = SHOP + CART
    assert "LNT0031" in codes_in(text + overlay_policy("p", spec % ""))
    ports = "ports: [{port: 7070}], "
    assert "LNT0031" not in codes_in(text + overlay_policy("p", spec % ports))


def test_app_protocol_is_stronger_than_a_name() -> None:
    spec = (
        "{subject: {pods: {podSelector: {matchLabels: {app: cart}}}}, "
        "ingress: [{ports: [{port: 7070}], http: [{methods: [GET]}]}]}"
    )
    text = (
        SHOP + CART + service("cart", 80, 7070, app="cart") + overlay_policy("p", spec)
    )
    with_protocol = text.replace("name: web,", "name: http, appProtocol: redis,")
    assert "LNT0030" not in codes_in(text)
    assert "LNT0030" in codes_in(with_protocol)


# --- DNS, isolation, denials --------------------------------------------------------


def egress(*rules: str) -> str:
    return policy(
        "web-out",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], "
        f"egress: [{', '.join(rules)}]}}",
    )


TO_CART = "{to: [{podSelector: {matchLabels: {app: cart}}}]}"


@pytest.mark.parametrize(
    "rules, is_cut_off",
    [
        ([TO_CART], True),
        ([TO_CART, "{ports: [{port: 53, protocol: UDP}]}"], False),
        ([TO_CART, "{ports: [{port: 53, protocol: TCP}]}"], True),
        (["{}"], False),
        ([], False),
        (["{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}"], False),
        # Whoever this is, he is not in these manifests: that is said elsewhere.
        (
            [
                TO_CART,
                "{to: [{podSelector: {matchLabels: {k8s-app: kube-dns}}}], "
                "ports: [{port: 53, protocol: UDP}]}",
            ],
            False,
        ),
    ],
)
def test_who_needs_names(rules: list[str], is_cut_off: bool) -> None:
    # Pods that match the egress rule to the cart do not answer on port 53.
    cart = TO_CART.replace("]}", "], ports: [{port: 7070}]}", 1)
    given = [cart if rule == TO_CART else rule for rule in rules]
    text = SHOP + CART + egress(*given)
    assert ("LNT0040" in codes_in(text)) == is_cut_off


def test_dns_on_another_port() -> None:
    dns = deployment("dns", ports="[{name: dns, containerPort: 5353, protocol: UDP}]")
    cart = "{to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: 7070}]}"
    asks = (
        "{to: [{podSelector: {matchLabels: {app: dns}}}], "
        "ports: [{port: 5353, protocol: UDP}]}"
    )
    assert "LNT0040" not in codes_in(SHOP + CART + dns + egress(cart, asks))


def test_the_policy_that_only_isolates_is_named() -> None:
    deny = policy("deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
    cart = "{to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: 7070}]}"
    found = only(SHOP + CART + egress(cart) + deny, "LNT0040")
    assert found.message.startswith('NetworkPolicy "shop/deny" isolates')


def test_guarded_by_a_denial_of_the_baseline() -> None:
    text = SHOP + CART + namespace("ops") + deployment("top", namespace="ops")
    assert "LNT0041" in codes_in(text + policy("p", "{podSelector: {}}"))
    deny = DENY_ALL.replace("Admin", "Baseline")
    assert "LNT0041" not in codes_in(text + deny)


def test_denial_of_udp_and_tcp_is_no_lie() -> None:
    udp = "{udp: {destinationPort: {number: 8125}}}"
    tcp = "{tcp: {destinationPort: {number: 8125}}}"
    rule = "ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], protocols: [{}]}}]"
    for protocols, is_found in [(udp, True), (f"{udp}, {tcp}", False)]:
        text = SHOP + cluster_policy("p", "Admin", 1, rule.format(protocols))
        assert ("LNT0042" in codes_in(text)) == is_found


def test_every_finding_has_a_place() -> None:
    assert all(finding.span for finding in lint_text(SHOP + CART + DENY_ALL))

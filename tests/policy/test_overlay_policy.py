"""What OverlayPolicies mean, field by field: text to model."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Network, ip_network
from typing import Any, Final

import pytest

from generator.policy.model import (
    AccountPeer,
    Action,
    BlockPeer,
    Direction,
    DomainPeer,
    HeaderKind,
    HeaderMatch,
    HttpMatch,
    LabelSelector,
    Operator,
    OverlayPeer,
    PathKind,
    PathMatch,
    Peer,
    PodPeer,
    Policy,
    PolicyRule,
    PortMatch,
    Protocol,
    Requirement,
    Tier,
)
from generator.policy.relevant import find_relevant
from generator.policy.ties import find_ties
from tests.support.loading import diagnose, load_text, model_of, pointed_at

IN, OUT = Direction.INGRESS, Direction.EGRESS
EVERYTHING: Final = LabelSelector()
CART: Final = LabelSelector((Requirement("app", Operator.IN, ("cart",)),))
TEAM: Final = LabelSelector((Requirement("team", Operator.IN, ("a",)),))
EDGE: Final = LabelSelector((Requirement("pepmesh.dev/edge", Operator.IN, ("true",)),))
OWN_PODS: Final = "subject: {pods: {podSelector: {}}}"
ADMIN: Final = "tier: Admin, priority: 5"
BASELINE: Final = "tier: Baseline, priority: 5"


def overlay(
    spec: str, *, namespace: str = "shop", head: str = "", name: str = "p"
) -> str:
    head = f"{head}, " if head else ""
    return (
        "apiVersion: pepmesh.dev/v1\nkind: OverlayPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{head}{spec}}}\n"
    )


def system(spec: str, *, head: str = ADMIN, name: str = "p") -> str:
    return overlay(spec, namespace="pepmesh-system", head=head, name=name)


def read(text: str) -> Policy:
    (policy,) = load_text(text).model.policies
    return policy


def rule_of(text: str) -> PolicyRule:
    (rule,) = read(text).rules
    return rule


def ingress(body: str) -> str:
    return overlay(f"{OWN_PODS}, ingress: [{{{body}}}]")


def egress(body: str) -> str:
    return overlay(f"{OWN_PODS}, egress: [{{{body}}}]")


def http_of(entry: str) -> HttpMatch:
    http = rule_of(ingress(f"http: [{entry}]")).http
    assert http is not None
    (match,) = http
    return match


# --- the policy -----------------------------------------------------------------------


def test_defaults() -> None:
    policy = read(overlay(OWN_PODS))
    assert (policy.kind, policy.namespace, policy.name) == (
        "OverlayPolicy",
        "shop",
        "p",
    )
    assert (policy.tier, policy.priority) == (Tier.NORMAL, 0)
    assert policy.subject == PodPeer(EVERYTHING, None)
    assert policy.isolates == {IN}
    assert (policy.rules, policy.is_audited) == ((), False)


@pytest.mark.parametrize(
    "head, expected",
    [
        ("tier: Admin, priority: 0", (Tier.ADMIN, 0)),
        ("tier: Admin, priority: 1000", (Tier.ADMIN, 1000)),
        ("tier: Baseline, priority: 7", (Tier.BASELINE, 7)),
    ],
)
def test_ordered_tiers_isolate_nobody(head: str, expected: tuple[Tier, int]) -> None:
    policy = read(system("subject: {namespaces: {}}", head=head))
    assert (policy.tier, policy.priority) == expected
    assert policy.isolates == frozenset()


@pytest.mark.parametrize(
    "spec, expected",
    [
        ("egress: [{}]", {IN, OUT}),
        ("egress: []", {IN}),
        ("egress: [{}], policyTypes: [Egress]", {OUT}),
        ("policyTypes: [Ingress, Egress]", {IN, OUT}),
        ("policyTypes: []", {IN}),
        ("tier: Normal, policyTypes: [Egress]", {OUT}),
    ],
)
def test_isolation_is_that_of_network_policies(
    spec: str, expected: set[Direction]
) -> None:
    assert read(overlay(f"{OWN_PODS}, {spec}")).isolates == expected


def test_rules_that_policy_types_leave_out_are_dropped() -> None:
    text = overlay(
        f"{OWN_PODS}, policyTypes: [Egress], ingress: [{{}}], egress: [{{}}]"
    )
    assert [rule.direction for rule in read(text).rules] == [OUT]


@pytest.mark.parametrize(
    "subject, expected",
    [
        ("{pods: {podSelector: {matchLabels: {app: cart}}}}", PodPeer(CART, None)),
        (
            "{pods: {podSelector: {}, namespaceSelector: null}}",
            PodPeer(EVERYTHING, None),
        ),
        (
            "{pods: {podSelector: {}, namespaceSelector: {}}}",
            PodPeer(EVERYTHING, EVERYTHING),
        ),
        ("{namespaces: {matchLabels: {team: a}}}", PodPeer(None, TEAM)),
        ("{namespaces: {}, pods: null}", PodPeer(None, EVERYTHING)),
    ],
)
def test_subjects(subject: str, expected: PodPeer) -> None:
    for head in (ADMIN, ""):
        assert read(system(f"subject: {subject}", head=head)).subject == expected


@pytest.mark.parametrize(
    "mode, annotation, is_audited",
    [
        ("audit", None, True),
        ("enforce", None, False),
        (None, "audit", True),
        (None, "enforce", False),
        ("audit", "audit", True),
        ("enforce", "enforce", False),
    ],
)
def test_mode(mode: str | None, annotation: str | None, is_audited: bool) -> None:
    text = overlay(f"{OWN_PODS}, mode: {mode or 'null'}")
    if annotation:
        given = f"metadata: {{annotations: {{pepmesh.dev/mode: {annotation}}}, "
        text = text.replace("metadata: {", given)
    assert read(text).is_audited == is_audited


def test_names_are_of_their_namespace() -> None:
    """A name may be there once in each namespace, and once for each kind."""
    other = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    other += "metadata: {name: p, namespace: shop}\n"
    texts = [overlay(OWN_PODS), overlay(OWN_PODS, namespace="b"), other]
    assert len(model_of("---\n".join(texts)).policies) == 3
    found = diagnose("---\n".join([overlay(OWN_PODS), overlay(OWN_PODS)]))
    (error,) = [d for d in found if d.severity == "error"]
    assert (error.code, error.message) == (
        "POL0014",
        'OverlayPolicy "shop/p" is there twice',
    )


def test_without_a_namespace_it_is_in_the_default_one() -> None:
    text = overlay(OWN_PODS).replace(", namespace: shop", "")
    assert read(text).namespace == "default"


# --- rules and peers ------------------------------------------------------------------


def test_a_rule_without_fields_accepts_all() -> None:
    rule = rule_of(ingress(""))
    assert (rule.action, rule.peers, rule.ports) == (Action.ACCEPT, None, None)
    assert (rule.http, rule.via, rule.name) == (None, (), "")


def test_rules_are_counted_in_their_list() -> None:
    rules = "ingress: [{}, {name: b}], egress: [{name: c}]"
    found = read(overlay(f"{OWN_PODS}, {rules}")).rules
    assert [(r.direction, r.number, r.name) for r in found] == [
        (IN, 0, ""),
        (IN, 1, "b"),
        (OUT, 0, "c"),
    ]


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("head", [ADMIN, BASELINE])
def test_actions_of_ordered_tiers(head: str, action: Action) -> None:
    rule = f"{{action: {action}, from: [{{namespaces: {{}}}}]}}"
    spec = f"subject: {{namespaces: {{}}}}, ingress: [{rule}]"
    assert rule_of(system(spec, head=head)).action is action


@pytest.mark.parametrize(
    "peer, expected",
    [
        (
            "{pods: {podSelector: {matchLabels: {app: cart}}}}",
            [PodPeer(CART, None)],
        ),
        (
            "{pods: {podSelector: {}, namespaceSelector: {matchLabels: {team: a}}}}",
            [PodPeer(EVERYTHING, TEAM)],
        ),
        ("{namespaces: {matchLabels: {team: a}}}", [PodPeer(None, TEAM)]),
        (
            "{serviceAccounts: [{name: a}, {name: b, namespace: other}]}",
            [AccountPeer("shop", "a"), AccountPeer("other", "b")],
        ),
        (
            '{overlayCIDRs: ["fd12:3456:789a:1::/64", "fd00::/8", "fdff::1:2/96"]}',
            [
                OverlayPeer(IPv6Network("fd12:3456:789a:1::/64")),
                OverlayPeer(IPv6Network("fd00::/8")),
                OverlayPeer(IPv6Network("fdff::/96")),
            ],
        ),
        (
            '{networks: ["192.0.2.0/24", "2001:db8::/32"]}',
            [
                BlockPeer(ip_network("192.0.2.0/24")),
                BlockPeer(ip_network("2001:db8::/32")),
            ],
        ),
        (
            "{users: [alice, bob]}",
            [
                PodPeer(
                    LabelSelector(
                        (
                            Requirement(
                                "pepmesh.dev/user", Operator.IN, ("alice", "bob")
                            ),
                        )
                    ),
                    EDGE,
                )
            ],
        ),
        (
            "{groups: [eng, ops]}",
            [
                PodPeer(
                    LabelSelector(
                        (Requirement(f"group.pepmesh.dev/{name}", Operator.EXISTS),)
                    ),
                    EDGE,
                )
                for name in ("eng", "ops")
            ],
        ),
    ],
)
def test_peers(peer: str, expected: list[Peer]) -> None:
    """They mean the same in both directions and in every tier."""
    assert rule_of(ingress(f"from: [{peer}]")).peers == tuple(expected)
    assert rule_of(egress(f"to: [{peer}]")).peers == tuple(expected)


def test_all_entries_of_a_list_of_peers_count() -> None:
    peers = "{users: [alice]}, {namespaces: {}}, {domainNames: [a.b]}"
    found = rule_of(egress(f"to: [{peers}]")).peers
    assert found is not None
    assert [type(peer) for peer in found] == [PodPeer, PodPeer, DomainPeer]


@pytest.mark.parametrize("head", [ADMIN, ""])
def test_domain_names(head: str) -> None:
    to = "{action: Accept, to: [{domainNames: ['*.Example.com.']}]}"
    text = system(f"{OWN_PODS}, egress: [{to}]", head=head)
    assert rule_of(text).peers == (DomainPeer("*.example.com"),)


@pytest.mark.parametrize("peer", ["{}", "{workloads: {}}", "{namespaces: null}"])
def test_an_unknown_peer_fails_closed(peer: str) -> None:
    rest = "ports: [{port: 80}], http: [{methods: [GET]}], name: rule"
    peers = f"from: [{peer}, {{namespaces: {{}}}}]"
    accept = rule_of(ingress(f"{peers}, {rest}"))
    assert (accept.action, accept.peers) == (
        Action.ACCEPT,
        (PodPeer(None, EVERYTHING),),
    )
    assert accept.http == (HttpMatch(methods=("GET",)),)
    for action in ("Deny", "Pass"):
        rules = f"ingress: [{{action: {action}, {peers}, {rest}}}]"
        rule = rule_of(system(f"subject: {{namespaces: {{}}}}, {rules}"))
        assert (rule.action, rule.peers, rule.ports) == (Action.DENY, None, None)
        assert (rule.http, rule.name) == (None, "rule")


@pytest.mark.parametrize(
    "port, expected",
    [
        ("{}", PortMatch(Protocol.TCP)),
        ("{protocol: UDP}", PortMatch(Protocol.UDP)),
        ("{port: web}", PortMatch(Protocol.TCP, name="web")),
        ("{port: 80}", PortMatch(Protocol.TCP, first=80, last=80)),
        (
            "{protocol: SCTP, port: 80, endPort: 90}",
            PortMatch(Protocol.SCTP, first=80, last=90),
        ),
    ],
)
def test_ports_are_those_of_network_policies(port: str, expected: PortMatch) -> None:
    assert rule_of(ingress(f"ports: [{port}]")).ports == (expected,)


# --- http -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry, expected",
    [
        ("{methods: [GET, M-SEARCH]}", HttpMatch(methods=("GET", "M-SEARCH"))),
        (
            "{hosts: [Cart.Shop, '*.example.com.', a, 10.0.0.1, a_b.c]}",
            HttpMatch(hosts=("cart.shop", "*.example.com", "a", "10.0.0.1", "a_b.c")),
        ),
        (
            "{headers: [{name: X-Team, exact: Blue}, {name: a, prefix: 'b c'}]}",
            HttpMatch(
                headers=(
                    HeaderMatch("x-team", HeaderKind.EXACT, "Blue"),
                    HeaderMatch("a", HeaderKind.PREFIX, "b c"),
                )
            ),
        ),
        (
            "{headers: [{name: a, present: true, not: true}, "
            "{name: a, exact: '', not: false}]}",
            HttpMatch(
                headers=(
                    HeaderMatch("a", HeaderKind.PRESENT, is_negated=True),
                    HeaderMatch("a", HeaderKind.EXACT, ""),
                )
            ),
        ),
    ],
)
def test_http(entry: str, expected: HttpMatch) -> None:
    assert http_of(entry) == expected


PATHS: Final = [
    ("exact", "/"),
    ("exact", "/cart"),
    ("exact", "/cart/"),
    ("exact", "/a.b/c..d/.../-_~!$&'()*+,=:@"),
    ("exact", "/%20%22%23%25%3B%3C%3E%3F%5B%5D%5E%60%7B%7C%7D"),
    ("exact", "/caf%C3%A9/%E2%82%AC/%F0%9F%9A%80"),
    ("exact", "/.a/..a/a%3Bb=1/%3Bx/..%3B"),
    ("prefix", "/"),
    ("prefix", "/a/b/"),
    ("template", "/"),
    ("template", "/{*}"),
    ("template", "/{**}"),
    ("template", "/a/{*}/b/{*}/{**}"),
    ("template", "/a/{*}/"),
]


@pytest.mark.parametrize("kind, pattern", PATHS)
def test_paths_in_normal_form(kind: str, pattern: str) -> None:
    found = http_of(f'{{paths: [{{{kind}: "{pattern}"}}]}}')
    assert found == HttpMatch(paths=(PathMatch(PathKind(kind), pattern),))


@pytest.mark.parametrize(
    "path, hint",
    [
        ("{exact: /%41}", 'write "A"'),
        ("{exact: /%2a}", 'write "*"'),
        ("{exact: /%c3%A9}", 'write "%C3"'),
        ("{exact: /é}", 'write "%C3%A9"'),
        ("{exact: '/a b'}", 'write "%20"'),
        ("{exact: '/a<b'}", 'write "%3C"'),
        ("{exact: '/a[0]'}", "paths are not regular expressions; %5B stands for ["),
        ("{exact: '/a;b'}", "; starts path parameters to some servers: a request "),
        ("{exact: '/..;'}", 'is denied anyway; write "%3B" for the character'),
        ("{exact: /a%3b}", 'write "%3B"'),
        ("{exact: '^/a'}", "paths are not regular expressions; %5E stands for ^"),
        ("{exact: '/a/{*}'}", "{*} and {**} are for template:"),
        ("{template: '/{**}/a'}", "write {*} for one segment; {**} is for all that "),
        ("{exact: /a//b}", 'write "/"'),
        ("{exact: /50%}", 'write "%25" for a percent sign'),
        ("{exact: '/a?b'}", "write what stands before the ?"),
        ("{prefix: cart}", 'a path starts with "/"; prefix: / holds for every path'),
    ],
)
def test_a_path_error_says_what_to_write(path: str, hint: str) -> None:
    found = diagnose(ingress(f"http: [{{paths: [{path}]}}]"))
    (error,) = [d for d in found if d.severity == "error"]
    assert hint in error.hint


def test_a_path_has_a_limit() -> None:
    assert http_of(f"{{paths: [{{exact: /{'a' * 1023}}}]}}").paths
    found = diagnose(ingress(f"http: [{{paths: [{{exact: /{'a' * 1024}}}]}}]"))
    assert "1025 characters, at most 1024 are allowed" in found[-1].message


def test_via_is_kept() -> None:
    loaded = load_text(ingress("via: [waf, cache]"))
    (rule,) = loaded.model.policies[0].rules
    assert rule.via == ("waf", "cache")
    assert "POL0062" in [d.code for d in loaded.diagnostics]


# --- limits, places, all faults at once -----------------------------------------------


def many(item: str, count: int) -> str:
    return ", ".join([item] * count)


def http_list(field: str, item: str) -> Callable[[int], str]:
    return lambda n: ingress(f"http: [{{{field}: [{many(item, n)}]}}]")


def peer_list(field: str, item: str) -> Callable[[int], str]:
    return lambda n: egress(f"to: [{{{field}: [{many(item, n)}]}}]")


LIMITS: Final = {
    "rules": lambda n: overlay(f"{OWN_PODS}, ingress: [{many('{}', n)}]"),
    "policyTypes": lambda n: overlay(
        f"{OWN_PODS}, policyTypes: [{many('Ingress', n)}]"
    ),
    "peers": lambda n: ingress(f"from: [{many('{namespaces: {}}', n)}]"),
    "ports": lambda n: ingress(f"ports: [{many('{port: 1}', n)}]"),
    "http": lambda n: ingress(f"http: [{many('{methods: [GET]}', n)}]"),
    "via": lambda n: ingress(f"via: [{many('waf', n)}]"),
    "methods": http_list("methods", "GET"),
    "paths": http_list("paths", "{exact: /}"),
    "hosts": http_list("hosts", "a.b"),
    "headers": http_list("headers", "{name: a, present: true}"),
    "serviceAccounts": peer_list("serviceAccounts", "{name: a}"),
    "overlayCIDRs": peer_list("overlayCIDRs", '"fd00::/8"'),
    "networks": peer_list("networks", '"10.0.0.0/8"'),
    "domainNames": peer_list("domainNames", "a.b"),
    "users": peer_list("users", "alice"),
    "groups": peer_list("groups", "eng"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_lists_have_a_limit(name: str) -> None:
    assert read(LIMITS[name](25))
    errors = [d for d in diagnose(LIMITS[name](26)) if d.severity == "error"]
    assert [d.code for d in errors] == ["POL0034"]
    assert errors[0].message.endswith("26 entries, at most 25 are allowed")


def test_everything_knows_its_place() -> None:
    text = """\
    apiVersion: pepmesh.dev/v1
    kind: OverlayPolicy
    metadata:
      name: c
      namespace: shop
    spec:
      subject:
        pods: {podSelector: {}}
      ingress:
      - name: first
        from:
        - pods: {podSelector: {}}
        - serviceAccounts: [{name: frontend}]
        - overlayCIDRs: ["fd00::/64"]
        - groups: [eng]
        ports:
        - port: 7
        http:
        - methods: [GET]
          paths: [{exact: /a}]
          headers: [{name: x, present: true}]
    """
    policy = read(text)
    (rule,) = policy.rules
    assert rule.http is not None
    (entry,) = rule.http
    spans = [policy.span, policy.subject.span, rule.span]
    spans += [peer.span for peer in rule.peers or ()]
    spans += [port.span for port in rule.ports or ()]
    spans += [entry.span, entry.paths[0].span, entry.headers[0].span]
    assert [pointed_at(text, span) for span in spans if span] == [
        "c",
        "pods",
        "name",
        "pods",
        "name",
        '"fd00::/64"',
        "eng",
        "7",
        "methods",
        "exact",
        "name",
    ]


def test_all_faults_are_reported_together() -> None:
    text = """\
    apiVersion: pepmesh.dev/v1
    kind: OverlayPolicy
    metadata: {name: c, namespace: shop}
    spec:
      tier: Admim
      priority: 5000
      mode: off
      subject: {}
      ingress:
      - {action: Denny, from: [{namespaces: {}}]}
      - {action: Deny, from: [{networks: [x]}, {users: [a], groups: [b]}]}
      - action: Deny
        from: [{namespaces: {}}]
        ports: [{port: 0}]
        http: [{methods: [get], paths: [{exact: a}, {exact: /b, prefix: /}]}, {}]
    """
    found = [d for d in diagnose(text) if d.severity == "error"]
    assert [d.code for d in found] == [
        "POL0031",
        "POL0032",
        "INP0005",
        "POL0033",
        "POL0030",
        "POL0009",
        "POL0035",
        "POL0006",
        "POL0055",
        "POL0057",
        "POL0056",
        "POL0054",
    ]
    assert found[0].hint == 'did you mean "Admin"?'


@pytest.mark.parametrize(
    "text, hint",
    [
        (overlay(f"{OWN_PODS}, tier: Admin, priority: 1"), "use the tier Normal"),
        (overlay("subject: {namespaces: {}}"), "or write pods"),
        (
            overlay("subject: {pods: {podSelector: {}, namespaceSelector: {}}}"),
            "or drop the namespaceSelector",
        ),
    ],
)
def test_who_reaches_too_far_is_told_the_way(text: str, hint: str) -> None:
    (error,) = [d for d in diagnose(text) if d.severity == "error"]
    assert error.code == "POL0050"
    assert hint in error.hint
    assert "pepmesh-system" in error.hint


# --- what follows from it -------------------------------------------------------------


def test_labels_and_ports_of_peers_are_relevant() -> None:
    text = ingress("from: [{users: [a]}, {groups: [eng]}], ports: [{port: web}]")
    relevant = find_relevant([read(text)], ())
    assert relevant.label_keys == {"pepmesh.dev/user", "group.pepmesh.dev/eng"}
    assert relevant.port_names == {"web"}


INVENTORY: Final = """\
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: []}
"""
CLUSTER: Final = """\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: c}
spec: {tier: TIER, priority: 5, subject: {namespaces: {}}}
"""


def ties_of(*texts: str) -> list[Any]:
    return list(find_ties(model_of("---\n".join([INVENTORY, *texts]))))


@pytest.mark.parametrize("head, tier", [(ADMIN, "Admin"), (BASELINE, "Baseline")])
def test_policies_of_two_kinds_tie(head: str, tier: str) -> None:
    ours = system("subject: {namespaces: {}}", head=head)
    (tie,) = ties_of(ours, CLUSTER.replace("TIER", tier))
    assert tie.code == "POL0041"
    assert tie.message.startswith(
        f'OverlayPolicy "p" and ClusterNetworkPolicy "c" have tier {tier} and '
        "priority 5"
    )
    other_tier = "Baseline" if tier == "Admin" else "Admin"
    assert not ties_of(ours, CLUSTER.replace("TIER", other_tier))
    other_priority = CLUSTER.replace("TIER", tier).replace(": 5", ": 6")
    assert not ties_of(ours, other_priority)


def test_two_overlay_policies_tie() -> None:
    everyone = "subject: {namespaces: {}}"
    carts = (
        "subject: {pods: {podSelector: {matchLabels: {app: cart}}, "
        "namespaceSelector: {}}}"
    )
    assert len(ties_of(system(everyone), system(carts, name="q"))) == 1
    others = carts.replace("cart", "front")
    assert not ties_of(system(everyone), system(others, name="q"))


def test_policies_of_the_tier_normal_never_tie() -> None:
    assert not ties_of(overlay(OWN_PODS), overlay(OWN_PODS, name="q"))


def test_the_namespace_of_mesh_wide_policies_needs_no_manifest() -> None:
    text = system("subject: {namespaces: {}}")
    assert diagnose(text) == ()

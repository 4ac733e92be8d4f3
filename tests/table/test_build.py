"""Tables of models: what random models found once."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import decide
from filters.layout import ANY_INSTANCE, Level
from filters.lookup import peer_key
from filters.party import Kind, Party
from filters.running import running
from generator.overlay.build import build_overlay
from generator.table.addresses import Homes
from generator.table.build import build_table
from generator.table.decode import decode_table
from generator.table.encode import encode_table
from tests.support.loading import model_of

# Two pods of one workload have another port "dns" each, but no rule that names a port
# selects them: the name is used for the pods of another namespace only.
UNSEEN_PORTS = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: alpha}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 53}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: alpha}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 5353}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: three, namespace: beta}
spec: {containers: [{name: c, ports: [{name: dns, containerPort: 53}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: beta}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{podSelector: {}}]
    ports: [{port: dns}]
"""


def test_ports_that_no_rule_sees_may_differ() -> None:
    model = model_of(UNSEEN_PORTS)
    overlay, _, _ = build_overlay(model, None, name="x")
    table = build_table(model, overlay)
    assert decode_table(encode_table(table)) == table


NODES = """
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec: {{containers: [{{name: c}}]}}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: p}}
spec:
  tier: Admin
  priority: 1
  subject: {{namespaces: {{}}}}
  egress:
  - action: {action}
    to: [{{nodes: {{matchLabels: {{role: worker}}}}}}]
  - action: {otherwise}
    to: [{{networks: [0.0.0.0/0]}}]
"""


@pytest.mark.parametrize(
    ("action", "otherwise", "is_allowed"),
    [
        ("Accept", "Deny", False),  # matches nothing
        ("Deny", "Accept", False),  # matches every address that is no member
        ("Pass", "Accept", False),  # denies: it might skip a Deny that comes later
        ("Pass", "Deny", False),
    ],
)
def test_rules_about_nodes_fail_closed(
    action: str, otherwise: str, is_allowed: bool
) -> None:
    """Which addresses nodes have is not known."""
    model = model_of(NODES.format(action=action, otherwise=otherwise))
    overlay, _, _ = build_overlay(model, None, name="x")
    data = encode_table(build_table(model, overlay))
    source, destination = Party(), Party()
    source.kind, source.word2 = Kind.MEMBER, 1
    destination.kind, destination.word3 = Kind.IPV4, 0x01020304
    answer = decide.Judgement()
    with running(None, {"table": data}):
        decide.judge(source, destination, 80, False, 0, b"", answer)
    assert (answer.egress == decide.Verdict.ALLOW) == is_allowed


BLOCKS = """\
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: shop, labels: {{app: a}}}}
spec: {{containers: [{{name: m}}]}}
status: {{podIP: 10.0.0.1}}
---
apiVersion: v1
kind: Pod
metadata: {{name: b, namespace: shop, labels: {{app: b}}}}
spec: {{containers: [{{name: m}}]}}
status: {{podIP: 10.0.0.2}}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {{name: p}}
spec:
  tier: Admin
  priority: 1
  subject:
    pods: {{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: a}}}}}}
  egress:
  - action: {action}
    to: [{{networks: [10.0.0.2/32]}}]
    protocols: [{{tcp: {{destinationPort: {{number: 80}}}}}}]
  - action: {otherwise}
    to: [{{namespaces: {{}}}}]
"""


@pytest.mark.parametrize(
    ("action", "otherwise", "instance", "port", "is_allowed"),
    [
        # The address is known: it is in the block, or not.
        ("Accept", "Deny", 0x0A000002, 80, True),
        ("Accept", "Deny", 0x0A000003, 80, False),
        ("Accept", "Deny", 0x0A000002, 81, False),
        # It will never be known: the block does not count.
        ("Accept", "Deny", 0, 80, False),
        # It is not known yet: the block may accept, on its ports.
        ("Accept", "Deny", ANY_INSTANCE, 80, True),
        ("Accept", "Deny", ANY_INSTANCE, 81, False),
        ("Pass", "Deny", ANY_INSTANCE, 80, True),
        # What denies is left to the receiver, who knows its address.
        ("Deny", "Accept", ANY_INSTANCE, 80, True),
        ("Deny", "Accept", 0x0A000002, 80, False),
    ],
)
def test_blocks_of_members_whose_address_comes_later(
    action: str, otherwise: str, instance: int, port: int, is_allowed: bool
) -> None:
    text = BLOCKS.format(action=action, otherwise=otherwise)
    assert egress_to_b(text, instance, port) == is_allowed


@pytest.mark.parametrize(
    ("block", "member_cidrs", "is_allowed"),
    [
        ("10.0.0.0/8", [], True),  # pods of the manifests have such addresses
        ("198.51.100.0/24", [], False),
        ("10.1.0.0/16", [], False),
        ("10.1.0.0/16", [IPv4Network("10.0.0.0/8")], True),
        ("2001:db8::/32", [], False),
    ],
)
def test_only_blocks_where_members_live_may_accept(
    block: str, member_cidrs: list[IPv4Network], is_allowed: bool
) -> None:
    """An address outside is no pod's, so the sender's word on it is the last one."""
    text = BLOCKS.format(action="Accept", otherwise="Deny")
    text = text.replace("10.0.0.2/32", f'"{block}"')
    assert egress_to_b(text, ANY_INSTANCE, 80, member_cidrs) == is_allowed


@pytest.mark.parametrize(
    "blocks", ["198.51.100.0/24, 10.0.0.0/8", "10.0.0.0/8, 198.51.100.0/24"]
)
def test_each_block_for_itself(blocks: str) -> None:
    text = BLOCKS.format(action="Accept", otherwise="Deny")
    assert egress_to_b(text.replace("10.0.0.2/32", blocks), ANY_INSTANCE, 80)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(24, 32))),
    st.integers(0, 255),
    st.integers(24, 32),
)
def test_homes_meet_what_they_overlap(
    places: list[tuple[int, int]], place: int, bits: int
) -> None:
    def network(last: int, size: int) -> IPv4Network:
        return IPv4Network((0x0A000000 + last, size), strict=False)

    homes = [network(*each) for each in places]
    wanted = network(place, bits)
    assert Homes.of(homes).meet(wanted) == any(wanted.overlaps(h) for h in homes)


def egress_to_b(
    text: str, instance: int, port: int, member_cidrs: Sequence[IPv4Network] = ()
) -> bool:
    """Ask whether policy lets a's pod out to b's, whose instance is given."""
    model = model_of(text)
    overlay, _, _ = build_overlay(model, None, name="x")
    data = encode_table(build_table(model, overlay, member_cidrs))
    numbers = {w.members[0].name: w.id for w in overlay.workloads}
    source, destination = Party(), Party()
    source.kind = destination.kind = Kind.MEMBER
    source.word2, destination.word2 = numbers["a"], numbers["b"]
    source.word3, destination.word3 = 0x0A000001, instance
    source.word1 = destination.word1 = overlay.workloads[0].realm
    answer = decide.Judgement()
    with running(None, {"table": data}):
        decide.judge(source, destination, port, False, 0, b"", answer)
    return answer.egress == decide.Verdict.ALLOW


def test_two_unknown_endpoints_of_one_workload_are_two() -> None:
    """A pod may always reach itself, but another replica is not itself."""
    model = model_of(BLOCKS.format(action="Accept", otherwise="Deny"))
    overlay, _, _ = build_overlay(model, None, name="x")
    data = encode_table(build_table(model, overlay))
    number = next(w.id for w in overlay.workloads if w.members[0].name == "a")
    source, destination = Party(), Party()
    source.kind = destination.kind = Kind.MEMBER
    source.word2 = destination.word2 = number
    source.word3 = destination.word3 = ANY_INSTANCE
    source.word1 = destination.word1 = overlay.workloads[0].realm
    answer = decide.Judgement()
    with running(None, {"table": data}):
        decide.judge(source, destination, 81, False, 0, b"", answer)
    assert answer.egress == decide.Verdict.DENY


# --- addresses of endpoints --------------------------------------------------------

DUAL = "10.0.0.1", "fd12::1"
IPV4 = ("10.0.0.2",)
IPV6 = ("fd12::2",)


def running_pod(name: str, addresses: Sequence[str], owner: str = "db") -> str:
    found = ", ".join(f"{{ip: '{address}'}}" for address in addresses)
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
  ownerReferences:
  - {{apiVersion: apps/v1, kind: StatefulSet, name: {owner}, controller: true, uid: u}}
spec: {{containers: [{{name: main, image: none}}]}}
status: {{podIPs: [{found}], phase: Running}}
---
"""


@pytest.mark.parametrize(
    ("pods", "are_addresses"),
    [
        ((IPV4, IPV4), True),
        ((DUAL, DUAL), True),
        ((DUAL, IPV4), True),
        ((IPV6, IPV6), False),
        # The instance of the second pod is a hash: nothing may read it as an address.
        ((IPV4, IPV6), False),
        ((DUAL, IPV6), False),
        # A pod that is not running yet says nothing.
        ((IPV4, ()), True),
    ],
)
def test_instances_are_addresses_if_they_are_for_every_endpoint(
    pods: Sequence[Sequence[str]], are_addresses: bool
) -> None:
    texts = (running_pod(f"db-{n}", addresses) for n, addresses in enumerate(pods))
    model = model_of("".join(texts))
    assert len(model.members) == 1
    overlay, _, _ = build_overlay(model, None, name="x")
    assert build_table(model, overlay).has_ipv4_instances == are_addresses


# --- named ports -------------------------------------------------------------------

TWO_NUMBERS = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: alpha}
spec:
  serviceAccountName: one
  containers: [{name: c, ports: [{name: web, containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: alpha}
spec:
  serviceAccountName: two
  containers: [{name: c, ports: [{name: web, containerPort: 81}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: alpha}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{ports: [{port: web}]}]
  egress: [{ports: [{port: web}]}]
"""


def test_one_policy_means_each_destinations_own_port() -> None:
    model = model_of(TWO_NUMBERS)
    overlay, _, _ = build_overlay(model, None, name="x")
    table = build_table(model, overlay)
    for workload, number in zip(table.workloads, (80, 81), strict=True):
        _, ingress, _ = workload.ingress
        _, egress, _ = workload.egress
        assert ingress is not None and egress is not None
        assert [row.first for row in table.subjects[ingress].members] == [number]
        key = peer_key(Level.WIDE, workload.wide_peer)
        assert [row.first for row in table.subjects[egress].peers[key]] == [number]

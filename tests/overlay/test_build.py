"""The whole overlay: order of files does not matter, and size hardly."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from generator.overlay.build import build_overlay
from generator.overlay.lock_reader import read_lock
from generator.overlay.lock_writer import write_lock
from generator.policy.model import (
    Direction,
    Member,
    Model,
    Policy,
    Service,
)
from generator.source import SourceFile
from tests.overlay.shapes import (
    member,
    model,
    pods,
    policy,
    ports,
    rule,
    selecting,
    selector,
    service,
)
from tests.overlay.strategies import models


@given(models(), st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(found: Model, random: Random) -> None:
    shuffled = Model(
        found.namespaces,
        tuple(random.sample(found.members, len(found.members))),
        tuple(random.sample(found.services, len(found.services))),
        tuple(random.sample(found.policies, len(found.policies))),
    )
    assert build_overlay(shuffled, None, name="x") == build_overlay(
        found, None, name="x"
    )


@given(models())
def test_everything_has_its_number(found: Model) -> None:
    overlay, lock, _ = build_overlay(found, None, name="x")
    members = [m for w in overlay.workloads for m in w.members]
    assert len(members) == len(found.members)
    realms = {realm.id: realm for realm in overlay.realms}
    for workload in overlay.workloads:
        assert realms[workload.realm].namespace == workload.namespace
        assert {m.namespace for m in workload.members} == {workload.namespace}
    assert len({w.digest for w in overlay.workloads}) == len(overlay.workloads)
    assert {t.id for t in overlay.targets} == {row.id for row in lock.targets}
    served = {i for t in overlay.targets for i in t.workload_ids}
    assert served == overlay.workloads_by_id.keys()


def test_addresses_of_endpoints() -> None:
    found = model(member("a", namespace="a"), member("b", namespace="b"))
    overlay, _, _ = build_overlay(found, None, name="x", overlay_id=0xAABBCCDDEE)
    address = overlay.address_of(overlay.workloads[1], IPv4Address("10.0.0.1"))
    assert address.wire_text == "fdaa:bbcc:ddee:0002:0000:0002:0a00:0001"


def big_model(size: int) -> Model:
    things: list[Member | Service | Policy] = []
    for i in range(size):
        labels = {"app": f"a{i}", "tier": f"t{i % 5}", "x": "y"}
        namespace = f"ns{i % (size // 10)}"
        port = ports(http=8080 + i % 3)
        allow = rule(Direction.INGRESS, peers=[pods(app=f"a{i // 2}")], named="http")
        subject = selector(app=f"a{i}")
        things += [
            member(f"m{i}", labels, namespace=namespace, declared=port),
            service(f"m{i}", {"app": f"a{i}"}, {80: "http"}, namespace=namespace),
            policy(f"p{i}", subject, namespace=namespace, rules=(allow,)),
        ]
    return model(*things)


def seconds(size: int) -> float:
    found = big_model(size)
    start = time.process_time()
    lock = build_overlay(found, None, name="x")[1]
    again = read_lock(SourceFile("lock", write_lock(lock)))
    assert build_overlay(found, again, name="x")[1] == lock
    return time.process_time() - start


def test_time_grows_with_size_and_not_its_square() -> None:
    small, large = seconds(300), seconds(3000)
    assert large < 30 * small + 0.5


def test_one_namespace_with_one_workload_is_no_worse() -> None:
    """The case that an index by namespace does not help."""

    def run(size: int) -> float:
        named = (rule(Direction.INGRESS, named=f"h{i}") for i in range(size))
        policies = [policy(f"p{i}", rules=(r,)) for i, r in enumerate(named)]
        members = [member(f"m{i}", {"app": "a"}) for i in range(size)]
        found = model(*members, *policies, selecting("app"))
        start = time.process_time()
        build_overlay(found, None, name="x")
        return time.process_time() - start

    assert run(3000) < 30 * run(300) + 0.5

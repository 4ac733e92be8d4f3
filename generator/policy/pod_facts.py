"""Read what decides whether a sidecar sees a pod's traffic. No verdict looks at it.

Where in the pipeline: part of `declarations`; read again by `enforcement`. Injection
and interception are Istio's labels and annotations; besides, containers that run before
the sidecar, and probes of the kubelet, which has no proof to show. Nothing here is an
error: what cannot be read was not understood by Istio either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.policy.fields import Value
from generator.policy.model import PodFacts

PREFIXES: Final = ("sidecar.istio.io/", "traffic.sidecar.istio.io/")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_NETWORK_PROBES: Final = ("httpGet", "tcpSocket", "grpc")


def read_pod_facts(metadata: Value | None, spec: Value) -> PodFacts:
    """Read the facts of a pod or of a pod template."""
    # "sidecar.istio.io/inject" is a label; the annotation is its deprecated form.
    settings = _settings(metadata, "annotations") | _settings(metadata, "labels")
    once: list[str] = []
    running = _items(spec, "containers")
    for container in _items(spec, "initContainers"):
        if _text(container, "restartPolicy") == "Always":
            running.append(container)
        else:
            once.append(_text(container, "name"))
    return PodFacts(
        tuple(sorted(settings.items())),
        tuple(dict.fromkeys(once)),
        tuple(dict.fromkeys(_probes(running))),
    )


def join_facts(facts: Iterable[PodFacts]) -> PodFacts:
    """What holds for some endpoint of a member."""
    found = tuple(facts)
    if len(found) == 1:
        return found[0]
    return PodFacts(
        tuple(sorted({pair for each in found for pair in each.settings})),
        tuple(dict.fromkeys(name for each in found for name in each.init_containers)),
        tuple(dict.fromkeys(probe for each in found for probe in each.probes)),
    )


def _settings(metadata: Value | None, field: str) -> dict[str, str]:
    value = metadata.get(field) if metadata else None
    if value is None or not value.is_mapping:
        return {}
    if not any(name.startswith(PREFIXES) for name in value.names()):
        return {}
    texts = {key.literal or "": setting.literal for key, setting in value.pairs()}
    return {
        name: text
        for name, text in texts.items()
        if name.startswith(PREFIXES) and text is not None
    }


def _probes(containers: Iterable[Value]) -> Iterator[str]:
    """Name the probes that come by network: exec runs inside the container."""
    for container in containers:
        for name in _PROBES:
            probe = container.get(name)
            if probe is not None and probe.is_mapping:
                given = probe.names()
                yield from (
                    f"{name} {kind}" for kind in _NETWORK_PROBES if kind in given
                )


def _items(spec: Value, field: str) -> list[Value]:
    return [item for item in spec.items_of(field) if item.is_mapping]


def _text(container: Value, field: str) -> str:
    value = container.get(field)
    return (value.literal if value else None) or ""

"""The plugin configuration: what one PEP is told when its filter starts.

Where in the pipeline: `bundle -> plugin configuration -> Envoy bootstrap or Istio`.
Compact JSON, keys sorted, plain ASCII without a single escape, so that equal inputs
give equal bytes and the filter's parser stays small:

    {"bundle":"<base64url>","direction":"outbound","endpoint":{"address":"10.0.0.1",
     "labels":{"app":"cart"},"namespace":"shop","serviceAccount":"cart"}}

The bundle is in the configuration (in clear: local runs only) or in an environment
variable named by `bundleEnv`. `direction` is for listeners that cannot tell the filter;
`endpoint` is for PEPs outside Kubernetes, whose node metadata says nothing. `keyMode`
says which keys it sends and takes; plain ones if it says nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from generator.errors import OverlayError
from generator.overlay.bundle import Bundle, bundle_text
from generator.overlay.model import LabelPairs

_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")


class Traffic(StrEnum):
    """Which way a listener's traffic goes, seen from the endpoint."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class KeyMode(StrEnum):
    """Which keys a PEP sends and takes. Strict ones are taken in every mode."""

    PLAIN = "plain"  # sends plain ones, takes both
    PERMISSIVE = "permissive"  # sends strict ones, takes both
    STRICT = "strict"  # sends and takes strict ones


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who a PEP speaks for. Labels that policy does not know are ignored there."""

    namespace: str
    service_account: str
    labels: LabelPairs
    address: IPv4Address | IPv6Address


def plugin_configuration(
    bundle: Bundle | None = None,
    *,
    bundle_variable: str | None = None,
    direction: Traffic | None = None,
    endpoint: Endpoint | None = None,
    takes_any_address: bool = False,
    key_mode: KeyMode = KeyMode.PLAIN,
) -> str:
    """Return the JSON for one PEP, from a bundle or the variable that will hold it.

    `takes_any_address` lets members' proofs in from any address: for meshes whose
    gateways hide where a connection began.

    Raises: OverlayError OVL0040 for text that JSON would have to escape, a variable
    name that is none, and unless exactly one source of keys is given.
    """
    fields: dict[str, object] = {}
    if (bundle is None) == (bundle_variable is None):
        raise OverlayError.of("OVL0040", "give a bundle or a variable, not both")
    if bundle is not None:
        fields["bundle"] = bundle_text(bundle)
    elif not _VARIABLE.fullmatch(bundle_variable or ""):
        message = f"{bundle_variable!a} is not the name of a variable"
        raise OverlayError.of("OVL0040", message)
    else:
        fields["bundleEnv"] = bundle_variable
    if direction is not None:
        fields["direction"] = direction.value
    if endpoint is not None:
        fields["endpoint"] = _endpoint_fields(endpoint)
    if takes_any_address:
        fields["sourceAddress"] = "any"
    if key_mode is not KeyMode.PLAIN:
        fields["keyMode"] = key_mode.value
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def _endpoint_fields(endpoint: Endpoint) -> dict[str, object]:
    names = [endpoint.namespace, endpoint.service_account]
    for text in (*names, *(text for pair in endpoint.labels for text in pair)):
        if not _PLAIN.fullmatch(text):
            message = f"{text!a} would need an escape"
            raise OverlayError.of("OVL0040", message)
    return {
        "namespace": endpoint.namespace,
        "serviceAccount": endpoint.service_account,
        "labels": dict(endpoint.labels),
        "address": _address_text(endpoint.address),
    }


def _address_text(address: IPv4Address | IPv6Address) -> str:
    """Spell an address without `::`, dots in IPv6, or a zone."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise OverlayError.of("OVL0040", f"{address} has a zone, which is local")
    return address.exploded

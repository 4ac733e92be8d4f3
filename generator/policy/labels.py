"""Names, labels and ports that Kubernetes accepts: the only checks of their form.

Used by the readers of policies and of inventory. A label that the API server would
refuse is refused here: a selector that can match nothing is a mistake, and a NotIn
that matches everything is a worse one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from generator.policy.fields import Value
from generator.policy.model import Labels, Protocol

_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(rf"{_DNS_LABEL.pattern}(\.{_DNS_LABEL.pattern})*")
_LABEL: Final = r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"(\*\.)?({_LABEL}\.)+{_LABEL}")
_RULE_NAME_LENGTH: Final = 100
_PROTOCOLS: Final[dict[str, Protocol]] = {each.value: each for each in Protocol}
_CACHED: Final = 1 << 14
"""Names repeat; most of them are compared with a pattern once."""

_PORT_NAME: Final = re.compile(r"(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def read_object_name(value: Value) -> str:
    """Read `metadata.name`.

    Kubernetes wants lower case and no underscore; both are let through here, since
    they cannot make a name mean another. What is refused could: `/`, spaces, line ends.
    """
    name = value.text()
    if len(name) > 253 or not _is_name(name):
        raise value.error("POL0019", f"{name!r} is not the name of an object")
    return name


def read_namespace_name(value: Value) -> str:
    """Read the name of a namespace: a DNS label."""
    name = value.text()
    if len(name) > 63 or not _is_dns_label(name):
        raise value.error("POL0019", f"{name!r} is not the name of a namespace")
    return name


def read_label_key(value: Value) -> str:
    """Read `[prefix/]name`: a DNS name of up to 253, a name of up to 63 characters."""
    key = value.text()
    if not _is_label_key(key):
        raise value.error("POL0013", f"{key!r} is not a label key")
    return key


def read_label_value(value: Value) -> str:
    """Read up to 63 letters, digits, `-`, `_` and `.`; the empty text is a value."""
    text = value.text()
    if text and (len(text) > 63 or not _is_name(text)):
        raise value.error("POL0013", f"{text!r} is not a label value")
    return text


def read_labels(value: Value) -> Labels:
    """Read a map of labels."""
    return {read_label_key(k): read_label_value(v) for k, v in value.pairs()}


def read_labels_of(value: Value, field: str) -> Labels:
    """Read a field with labels; an absent one has none."""
    labels = value.get(field)
    return {} if labels is None else labels.recall(read_labels)


def read_protocol(value: Value | None) -> Protocol:
    """Read a protocol.

    "protocol represents the protocol (TCP, UDP, or SCTP) which traffic must match.
    If not specified, this field defaults to TCP."
    """
    if value is None:
        return Protocol.TCP
    text = value.text()
    protocol = _PROTOCOLS.get(text)
    if protocol is None:
        raise value.error("POL0004", f'unknown protocol "{text}"')
    return protocol


def read_port_number(value: Value) -> int:
    """Read a port, 1 to 65535."""
    number = value.integer()
    if not 1 <= number <= 65535:
        raise value.error("POL0006", f"{number} is not a port")
    return number


def read_port_name(value: Value) -> str:
    """Read the name of a container port: an IANA service name."""
    name = value.text()
    if name.isdecimal():
        raise value.error(
            "POL0008", f'"{name}" is text, not a port', "remove the quotes"
        )
    if not _is_port_name(name):
        raise value.error("POL0008", f'"{name}" is not the name of a port')
    return name


def read_domain(value: Value) -> str:
    """Read a domain name, in lower case and without the dot at its end.

    `*.` in front stands for one label or more; there is no other wildcard.
    """
    text = value.text()
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not _DOMAIN.fullmatch(name):
        raise value.error("POL0037", f'"{text}" is not a domain name')
    return name


def read_rule_name(value: Value | None) -> str:
    """Read the name of a rule, which is for people; an absent one is empty."""
    name = "" if value is None else value.text()
    if value and (len(name) > _RULE_NAME_LENGTH or not name.isprintable()):
        message = "the name of a rule has up to 100 printable characters"
        raise value.error("POL0019", message)
    return name


@lru_cache(_CACHED)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


@lru_cache(_CACHED)
def _is_dns_label(text: str) -> bool:
    return _DNS_LABEL.fullmatch(text) is not None


@lru_cache(_CACHED)
def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _DNS_SUBDOMAIN.fullmatch(prefix)):
        return False
    return len(name) <= 63 and _is_name(name)


@lru_cache(_CACHED)
def _is_port_name(name: str) -> bool:
    return len(name) <= 15 and _PORT_NAME.fullmatch(name) is not None

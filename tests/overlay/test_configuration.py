"""The plugin configuration: one spelling, no escapes, one source of keys."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address

import pytest

from generator.errors import OverlayError
from generator.overlay.bundle import Bundle, bundle_text
from generator.overlay.configuration import (
    Endpoint,
    KeyMode,
    Traffic,
    plugin_configuration,
)

BUNDLE = Bundle(1, 2, (), ())
V4 = IPv4Address("10.0.0.1")
LABELS = (("tier", "back"), ("app", "cart"))


def test_golden_text() -> None:
    text = plugin_configuration(
        BUNDLE,
        direction=Traffic.OUTBOUND,
        endpoint=Endpoint("shop", "robot", LABELS, V4),
    )
    assert text == (
        '{"bundle":"UE1CMQAAAAABAAAAAgAAAAAAAAAAAAAA","direction":"outbound",'
        '"endpoint":{"address":"10.0.0.1","labels":{"app":"cart","tier":"back"},'
        '"namespace":"shop","serviceAccount":"robot"}}'
    )


def test_least_text() -> None:
    assert json.loads(plugin_configuration(BUNDLE)) == {"bundle": bundle_text(BUNDLE)}
    text = plugin_configuration(bundle_variable="PEPMESH_BUNDLE")
    assert text == '{"bundleEnv":"PEPMESH_BUNDLE"}'


@pytest.mark.parametrize("mode", list(KeyMode))
def test_the_key_mode_is_named_unless_it_is_plain(mode: KeyMode) -> None:
    fields = json.loads(plugin_configuration(BUNDLE, key_mode=mode))
    assert fields.get("keyMode", "plain") == mode.value
    assert ("keyMode" in fields) == (mode is not KeyMode.PLAIN)


def test_ipv6_is_spelled_in_groups_only() -> None:
    mapped = IPv6Address("::ffff:10.0.0.1")
    text = plugin_configuration(BUNDLE, endpoint=Endpoint("a", "b", (), mapped))
    assert '"address":"0000:0000:0000:0000:0000:ffff:0a00:0001"' in text


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint('sh"op', "robot", (), V4),
        Endpoint("shop", "ro\\bot", (), V4),
        Endpoint("shop", "robot", (("app", "a\nb"),), V4),
        Endpoint("shop", "robot", (("é", "b"),), V4),
        Endpoint("shop", "robot", (), IPv6Address("fe80::1%eth0")),
    ],
)
def test_what_would_need_an_escape_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(OverlayError, match="OVL0040"):
        plugin_configuration(BUNDLE, endpoint=endpoint)


@pytest.mark.parametrize("variable", ["", "a", "A B", "A=", "1A", "A" * 200])
def test_a_variable_has_a_name(variable: str) -> None:
    with pytest.raises(OverlayError, match="OVL0040"):
        plugin_configuration(bundle_variable=variable)


def test_keys_come_from_one_place() -> None:
    with pytest.raises(OverlayError, match="OVL0040"):
        plugin_configuration()
    with pytest.raises(OverlayError, match="OVL0040"):
        plugin_configuration(BUNDLE, bundle_variable="A")

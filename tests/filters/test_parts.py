"""The filter's parts against the standard library, on both back ends."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.overlay import keys
from generator.overlay.address import OverlayAddress
from tests.support.guests import Probe, probes

PROBES = probes("tests/filters/probes.py")

BACKENDS = pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.backend)


@BACKENDS
@given(st.binary(max_size=300), st.integers(0, 300))
@example(b"", 0)
@example(b"a" * 55, 0)
@example(b"a" * 56, 56)
@example(b"a" * 64, 1)
@example(b"a" * 119, 64)
def test_sha256_is_hashlibs(probe: Probe, data: bytes, split: int) -> None:
    probe.ask("probe_sha256", split, given=data)
    assert probe.out == hashlib.sha256(data).digest()


@BACKENDS
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_hmac_is_hmacs(probe: Probe, key: bytes, message: bytes) -> None:
    probe.ask("probe_hmac", given=key + message)
    assert probe.out == hmac.digest(key, message, "sha256")


@BACKENDS
@given(st.binary(max_size=200))
def test_base64url_there_and_back(probe: Probe, data: bytes) -> None:
    text = urlsafe_b64encode(data).rstrip(b"=")
    probe.ask("probe_write_base64url", given=data)
    assert probe.out == text
    assert probe.ask("probe_read_base64url", given=text) == 1
    assert probe.out == data


@BACKENDS
@given(st.binary(max_size=30), st.integers(0, 40), st.binary(min_size=1, max_size=1))
def test_base64url_is_known_without_decoding(
    probe: Probe, data: bytes, place: int, other: bytes
) -> None:
    def is_of(text: bytes) -> bool:
        return bool(probe.ask("probe_is_base64url_of", len(text), given=text + data))

    text = urlsafe_b64encode(data).rstrip(b"=")
    assert is_of(text)
    changed = text[:place] + other + text[place + 1 :]
    assert is_of(changed) == (changed == text)
    assert not is_of(text + b"A")
    assert not text or not is_of(text[:-1])


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        b"A",  # no number of bytes has one digit
        b"AB==",  # padded
        b"AB",  # left-over bits
        b"AAB",  # left-over bits
        b"A+A/",  # the other alphabet
        b"AA A",
        b"A" * 1000,  # larger than its place
    ],
)
def test_base64url_refuses(probe: Probe, text: bytes) -> None:
    assert probe.ask("probe_read_base64url", given=text) == 0


@BACKENDS
@given(st.integers(0, 10**18 - 1))
def test_decimal_there_and_back(probe: Probe, value: int) -> None:
    assert probe.ask("probe_decimal", given=b"%d" % value) == 1
    assert probe.out == b"%d" % value


@BACKENDS
@pytest.mark.parametrize("text", [b"", b"01", b"-1", b"+1", b"1 ", b"1" * 19, b"x"])
def test_decimal_refuses(probe: Probe, text: bytes) -> None:
    assert probe.ask("probe_decimal", given=text) == 0


@BACKENDS
@given(
    st.integers(0, 2**40 - 1),
    st.integers(1, 2**16 - 1),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
def test_overlay_address_there_and_back(
    probe: Probe, overlay: int, realm: int, workload: int, instance: int
) -> None:
    text = OverlayAddress(overlay, realm, workload, instance).wire_text.encode()
    assert probe.ask("probe_address", given=text) == 1
    assert probe.out == text


ADDRESS = b"fdaa:aaaa:aaaa:0001:0000:0001:7f00:0001"


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"10.0.0.1",  # IPv4 text
        ADDRESS.upper(),
        ADDRESS[:-1],
        ADDRESS + b"0",
        ADDRESS.replace(b"0000", b"0"),  # a second spelling
        ADDRESS.replace(b":", b"."),
        ADDRESS.replace(b"fd", b"fg"),
        b" " + ADDRESS[1:],
    ],
)
def test_overlay_address_refuses(probe: Probe, text: bytes) -> None:
    assert probe.ask("probe_address", given=text) == 0


@BACKENDS
@given(st.ip_addresses(v=4))
def test_ipv4_is_ipaddress(probe: Probe, address: IPv4Address) -> None:
    assert probe.ask("probe_ipv4", given=str(address).encode()) == (1, int(address))


@BACKENDS
@pytest.mark.parametrize(
    "text", [b"", b"1.2.3", b"1.2.3.4.5", b"1.2.3.256", b"01.2.3.4", b"1..2.3", b"::1"]
)
def test_ipv4_refuses(probe: Probe, text: bytes) -> None:
    found = probe.ask("probe_ipv4", given=text)
    assert isinstance(found, tuple)
    assert found[0] == 0


@BACKENDS
@given(st.ip_addresses(v=6))
@example(IPv6Address("::"))
@example(IPv6Address("::1"))
@example(IPv6Address("1::"))
def test_ipv6_is_ipaddress(probe: Probe, address: IPv6Address) -> None:
    if address.ipv4_mapped is not None:
        return
    words = [int(address) >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)]
    assert probe.ask("probe_ipv6", given=str(address).encode()) == (1, *words)


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"1", b":", b":::", b"1:2:3:4:5:6:7", b"1:2:3:4:5:6:7:8:9"),
        *(b"1::2::3", b"::1:", b"1:2:3:4:5:6:7:8:", b"12345::", b"::g", b":1::2"),
        *(b"1:2:3:4::5:6:7:8", b"::ffff:1.2.3.4", b"fe80::1%eth0"),
    ],
)
def test_ipv6_refuses(probe: Probe, text: bytes) -> None:
    found = probe.ask("probe_ipv6", given=text)
    assert isinstance(found, tuple)
    assert found[0] == 0


@BACKENDS
@given(
    st.binary(min_size=32, max_size=32),
    st.integers(1, 2**32 - 1),
    st.integers(1, 255),
    st.integers(0, 2**31),
)
def test_keys_are_the_generators(
    probe: Probe, secret: bytes, target: int, key_id: int, epoch: int
) -> None:
    source = OverlayAddress(0xA1B2C3D4E5, 7, 9, 0x7F000001)
    probe.ask("probe_mac", key_id, epoch, target, given=secret + source.packed)
    pairwise = hmac.digest(secret, source.packed[:12], "sha256")
    assert probe.out[:32] == pairwise
    expected = keys.mac(
        pairwise, key_id=key_id, epoch=epoch, source=source, target_id=target
    )
    assert probe.out[32:] == expected


MAC = b"A" * 21 + b"Q"


@BACKENDS
def test_key_header_is_read(probe: Probe) -> None:
    text = b"v1.3.58000000.17." + MAC
    assert probe.ask("probe_key_header", given=text) == (1, 17, 3, 58000000)


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        b"v1.",
        b"v1.3.5.17",
        b"v1.3.5.17." + MAC + b"A",
        b"v1.3.5.17." + MAC[:-1],
        b"v1.3.5.17." + MAC[:-1] + b"=",
        b"v1.3.5.17." + MAC[:-1] + b"B",  # left-over bits
        b"v1.03.5.17." + MAC,
        b"v1.256.5.17." + MAC,
        b"v1.3.-5.17." + MAC,
        b"v1.3.5.4294967296." + MAC,
        b"v1.3.5.17.1." + MAC,
        b"v1.3.5.17,v1.3.5.17." + MAC,
    ],
)
def test_key_header_refuses(probe: Probe, text: bytes) -> None:
    found = probe.ask("probe_key_header", given=text)
    assert isinstance(found, tuple)
    assert found[0] == 0


ENDPOINT = b'{"namespace":"a","serviceAccount":"b","address":"1.2.3.4"%s}'


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        b'{"bundle":"AA"}',
        b' {\n "bundle" : "AA" ,\t"direction": "inbound" }\n',
        b'{"bundleEnv":"PEPMESH_BUNDLE","direction":"outbound"}',
        b'{"bundle":"AA","sourceAddress":"any"}',
        b'{"bundle":"AA","keyMode":"permissive"}',
        b'{"bundle":"AA","keyMode":"strict"}',
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b"" + b"}",
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"labels":{}' + b"}",
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"labels":{"a":"b","c":""}' + b"}",
    ],
)
def test_configuration_is_read(probe: Probe, text: bytes) -> None:
    assert probe.ask("probe_configuration", given=text) == 1


@BACKENDS
@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"{}", b"[]", b"null", b"bundle", b'{"bundle":1}'),
        b'{"bundle":"AA"',
        b'{"bundle":"AA"} x',
        b'{"bundle":"AA",}',
        b'{"bundle":"AA" "direction":"inbound"}',
        b'{"bundle":"A\\u0041"}',
        b'{"bundle":"A\nA"}',
        b'{"bundle":"AA","bundle":"AA"}',
        b'{"bundle":"AA","bundleEnv":"X"}',
        b'{"direction":"inbound"}',
        b'{"bundle":"AA","direction":"both"}',
        b'{"bundle":"AA","direction":"inbound","direction":"inbound"}',
        b'{"bundle":"AA","surprise":"x"}',
        b'{"bundle":"AA","sourceAddress":"bound"}',
        b'{"bundle":"AA","sourceAddress":"any","sourceAddress":"any"}',
        b'{"bundle":"AA","keyMode":"plain"}',
        b'{"bundle":"AA","keyMode":strict}',
        b'{"bundle":"AA","keyMode":"strict","keyMode":"strict"}',
        b'{"bundle":"AA","keyMode":"permissive","keyMode":"strict"}',
        b'{"bundle":"AA","endpoint":{}}',
        b'{"bundle":"AA","endpoint":{"namespace":"a"}}',
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"x":"y"' + b"}",
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"labels":[]' + b"}",
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"labels":{"a":1}' + b"}",
        b'{"bundle":"AA","endpoint":' + ENDPOINT % b',"namespace":"c"' + b"}",
    ],
)
def test_configuration_refuses(probe: Probe, text: bytes) -> None:
    assert probe.ask("probe_configuration", given=text) == 0

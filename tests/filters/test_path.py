"""Paths in their normal form, on both back ends; the table of policy/DESIGN.md."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.guests import Probe, probes

PROBES = probes("tests/filters/probes.py")
BACKENDS = pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.backend)

NORMAL = [
    # What is normal stays.
    ("/", "/"),
    ("/a", "/a"),
    ("/a/", "/a/"),
    ("/a.b/..c/...", "/a.b/..c/..."),
    ("/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~"),
    # The query is no part of the path.
    ("/a?b=/../c", "/a"),
    ("/?", "/"),
    # What may stand in a segment as it is, is decoded.
    ("/%61%7a%41%5A%30%39", "/azAZ09"),
    ("/%2d%2E%5f%7E", "/-._~"),
    ("/%40%3a%3d", "/@:="),
    # Everything else stays encoded, with digits in upper case.
    ("/%20%25%3f%23", "/%20%25%3F%23"),
    ("/a%3b%3B=1/..%3bx/.%3B", "/a%3B%3B=1/..%3Bx/.%3B"),
    ("/a%3b/../b", "/b"),
    ("/%c3%a9", "/%C3%A9"),
    ("/%252e%252e", "/%252e%252e"),
    # What no path may hold as it is, though servers take it, is encoded.
    ('/"<>[]^`{|}', "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
    ("/%22%3c%3e%5b%5D%5e%60%7b%7c%7d", "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
    ("/a[0]/../b[1]/.", "/b%5B1%5D/"),
    ("/[/../[[/..", "/"),
    # UTF-8 in its shortest form, at the bounds of each length.
    ("/%C2%80%DF%BF", "/%C2%80%DF%BF"),
    ("/%E0%A0%80%ED%9F%BF%EE%80%80", "/%E0%A0%80%ED%9F%BF%EE%80%80"),
    ("/%F0%90%80%80%F4%8F%BF%BF", "/%F0%90%80%80%F4%8F%BF%BF"),
    # Slashes are merged.
    ("//", "/"),
    ("//a///b//", "/a/b/"),
    # Dot segments go, also those that were encoded.
    ("/a/./b", "/a/b"),
    ("/a/.", "/a/"),
    ("/.", "/"),
    ("/a/b/../c", "/a/c"),
    ("/a/b/..", "/a/"),
    ("/a/..", "/"),
    ("/a/%2e%2E/b", "/b"),
    ("/a//../b", "/b"),
    ("/a/b/c/../../d", "/a/d"),
    ("/" + "a" * 4095, "/" + "a" * 4095),
    ("/" + "a" * 4095 + "?" + "b" * 100, "/" + "a" * 4095),
    # The longest path has room if each of its characters becomes three.
    ("/" + "[" * 4095, "/" + "%5B" * 4095),
    ("/" + "[" * 4091 + "/../", "/"),
]

AMBIGUOUS = [
    b"",
    b"*",
    b"a",
    b"http://a/b",
    b"?/a",
    b"/" + b"a" * 4096,  # too long
    b"/" + b"[" * 4096,
    b"/a\\b",
    b"/a#b",
    b"/a b",
    b"/a\x7f",
    b"/\xc3\xa9",
    b"/a\x00b",
    b"/a%2Fb",
    b"/a%2fb",
    b"/a%5cb",
    b"/a%00",
    b"/a%0a",
    b"/a%7F",
    # Percent-encodings that are none.
    b"/%",
    b"/%4",
    b"/%4?1",
    b"/%zz",
    b"/%4g",
    b"/%%41",
    # Not UTF-8, or not in its shortest form.
    b"/%80",
    b"/%C0%AF",
    b"/%C1%BF",
    b"/%C3",
    b"/%C3/%A9",
    b"/%C3a",
    b"/%C3%41",
    b"/%E0%9F%BF",
    b"/%E0%80%AF",
    b"/%ED%A0%80",
    b"/%E2%82",
    b"/%F0%8F%BF%BF",
    b"/%F4%90%80%80",
    b"/%F5%80%80%80",
    b"/%FF",
    # Above the root.
    b"/..",
    b"/../a",
    b"/a/../..",
    b"//..",
    b"/./..",
    b"/%2e%2e/a",
    # Some servers cut off what follows a semicolon.
    b"/;",
    b"/admin;x",
    b"/public;/x",
    b"/a;b=1/../c",
    b"/a;?b",
    b"/a/..;/b",
    b"/a/.;x",
    b"/a/%2e%2e;/b",
]


@BACKENDS
@pytest.mark.parametrize(("path", "expected"), NORMAL)
def test_a_path_has_one_normal_form(probe: Probe, path: str, expected: str) -> None:
    assert probe.ask("probe_path", given=path.encode()) == 1
    assert probe.out.decode() == expected


@BACKENDS
@pytest.mark.parametrize("path", AMBIGUOUS)
def test_a_path_that_is_read_in_two_ways_has_none(probe: Probe, path: bytes) -> None:
    assert probe.ask("probe_path", given=path) == 0


PIECES = st.sampled_from(
    [
        *("/", "/", "//", "a", "b", ".", "..", "%2e", "%41", "%2F", "%25", "%c3%a9"),
        *(";", "%3b", "[", "%5b", '"', "{"),
    ]
)


@BACKENDS
@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_normal_form_is_its_own(probe: Probe, text: str) -> None:
    """It has no dot segment, no empty segment but the last, and decodes the same."""
    assume(probe.ask("probe_path", given=b"/" + text.encode()) == 1)
    normal = probe.out
    assert probe.ask("probe_path", given=normal) == 1
    assert probe.out == normal
    segments = normal.split(b"/")[1:]
    assert not {b".", b".."} & set(segments)
    assert b"" not in segments[:-1]
    assert unquote_to_bytes(normal).count(b"/") == normal.count(b"/")

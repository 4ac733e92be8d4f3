"""Paths and hosts on their own, as the oracle reads them: the table of DESIGN.md."""

from __future__ import annotations

from typing import Final

import pytest

from generator.policy.model import PathKind, PathMatch
from generator.policy.oracle_http import (
    host_matches,
    host_of,
    normal_form,
    path_matches,
)

# --- paths: what is ambiguous ---------------------------------------------------------

AMBIGUOUS: Final = [
    # It does not start with a slash.
    *("", "a", "*", "?", "?/a", "http://h/a", "./a", "%2Fa"),
    # It has a byte below 0x21, 0x7F or above, a backslash or #.
    *("/a b", "/ ", "/a\x00", "/\x1f", "/a\t", "/\x7f", "/é", "/\xff", "/a\\b", "/a#b"),
    # It has an invalid percent-encoding.
    *("/%", "/a%", "/%4", "/%4/1", "/%zz", "/%4g", "/%g4", "/%%41", "/%u0041", "/% 1"),
    # It encodes a slash, a backslash, NUL or another control character.
    *("/%2F", "/a%2fb", "/%5C", "/a%5cb", "/%00", "/%01", "/%0a", "/%0D", "/%1F"),
    *("/%7F", "/%7f"),
    # Its encoded bytes from 0x80 up are not UTF-8 in its shortest form.
    *("/%80", "/%BF", "/%C3", "/%C3/%A9", "/%C3a%A9", "/%C3%41", "/%A9%C3", "/%E9"),
    *("/%C0%AF", "/%C1%81", "/%E0%80%AF", "/%E0%9F%BF", "/%F0%80%80%AF", "/%F5%80"),
    *("/%F4%90%80%80", "/%ED%A0%80", "/%ED%BF%BF", "/%E2%82", "/%E2%82%28", "/%FF"),
    *("/%C3%A9%80", "/%FE%FF"),
    # A `..` climbs above the root.
    *("/..", "/../", "/../a", "/a/../..", "/a/../../b", "/./..", "//..", "/%2e%2e"),
    *("/a//../..", "/a/%2E./.%2e"),
    # It has a `;`, wherever it stands.
    *("/;", "/a;", "/a;x", "/a;x/../b", "/;/a", "/a;b=1", "/a;?", "/a%3B;", "/;%3B"),
    *("/..;", "/..;/a", "/a/..;x", "/a/.;x/b", "/.;", "/%2e%2e;", "/a//..;b=1"),
]


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_a_path_is_ambiguous(target: str) -> None:
    assert normal_form(target) is None
    assert normal_form(target + "?x=/a") is None


# --- paths: the normal form -----------------------------------------------------------

NORMAL: Final = {
    "/": "/",
    "/a": "/a",
    "/a/": "/a/",
    # What stands behind `?` is not the path, whatever it is.
    "/a?b": "/a",
    "/?": "/",
    "/a?x=/../..": "/a",
    "/a?%zz\\#é \x00%2F": "/a",
    "/a?b?c": "/a",
    "/a%3Fb?c": "/a%3Fb",
    # Unreserved characters, sub-delims but `;`, `:` and `@` are decoded.
    "/%61%7A%41%5A%30%39": "/azAZ09",
    "/%2D%2E%5F%7E": "/-._~",
    "/%21%24%26%27%28%29%2A%2B%2C%3D": "/!$&'()*+,=",
    "/%3A%40": "/:@",
    "/%7e%3a": "/~:",
    # Other encodings stay, in upper case; nothing is decoded twice.
    "/%20%22%23%25%3C%3E%3F": "/%20%22%23%25%3C%3E%3F",
    "/%5b%5d%5e%60%7b%7c%7d": "/%5B%5D%5E%60%7B%7C%7D",
    "/a%3b%3Bx=1": "/a%3B%3Bx=1",
    "/%c3%a9": "/%C3%A9",
    "/%e2%82%ac%F0%9f%98%80": "/%E2%82%AC%F0%9F%98%80",
    "/%ed%9f%bf%ee%80%80%f4%8f%bf%bf": "/%ED%9F%BF%EE%80%80%F4%8F%BF%BF",
    "/%C2%80%df%BF%E0%A0%80%f0%90%80%80": "/%C2%80%DF%BF%E0%A0%80%F0%90%80%80",
    "/%C3%A9a%C3%A9/%c3%a9": "/%C3%A9a%C3%A9/%C3%A9",
    "/%2561": "/%2561",
    "/%252e%252e/a": "/%252e%252e/a",
    "/%252F": "/%252F",
    # What is not encoded stays as it is, and case counts.
    "/A/b": "/A/b",
    "/!$&'()*+,=:@-._~": "/!$&'()*+,=:@-._~",
    # But for what RFC 3986 does not allow there, and servers take: it is encoded.
    '/"<>[]^`{|}': "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D",
    "/a[0]": "/a%5B0%5D",
    "/[/../]": "/%5D",
    "/.[/..{": "/.%5B/..%7B",
    # Runs of slashes become one.
    "//": "/",
    "///a///b//": "/a/b/",
    "//a": "/a",
    # Dot segments go; at the end they leave a slash.
    "/.": "/",
    "/./": "/",
    "/./a": "/a",
    "/a/.": "/a/",
    "/a/./b": "/a/b",
    "/a/..": "/",
    "/a/../": "/",
    "/a/../b": "/b",
    "/a/b/..": "/a/",
    "/a/b/../": "/a/",
    "/a/b/../..": "/",
    "/a/b/../../c": "/c",
    "/a/%2e%2E/b": "/b",
    "/a/%2e/.%2e/b/%2e": "/b/",
    # Slashes go before dots, so that `..` removes a segment and not nothing.
    "/a//../b": "/b",
    "/a/b//..": "/a/",
    "/a/.//.//b": "/a/b",
    # These are no dot segments.
    "/...": "/...",
    "/.a": "/.a",
    "/a..": "/a..",
    "/a/..b": "/a/..b",
    "/a/.../b": "/a/.../b",
    "/a%3b..": "/a%3B..",
    "/..%3B": "/..%3B",
    "/a/.%3bx/..%3B/c": "/a/.%3Bx/..%3B/c",
    "/.%25": "/.%25",
}


@pytest.mark.parametrize("target, expected", NORMAL.items())
def test_the_normal_form(target: str, expected: str) -> None:
    assert normal_form(target) == expected
    assert normal_form(expected) == expected


def test_a_path_has_4096_bytes_at_most() -> None:
    """As it is sent, without the query."""
    longest = "/" + "a" * 4095
    assert normal_form(longest) == longest
    assert normal_form(longest + "?" + "b" * 9000) == longest
    assert normal_form(longest + "a") is None
    assert normal_form("/" + "%61" * 1365) == "/" + "a" * 1365
    assert normal_form("/a" + "%61" * 1365) is None
    assert normal_form("/" * 4097) is None
    # The normal form may be longer than that.
    assert normal_form("/" + "[" * 4095) == "/" + "%5B" * 4095
    assert normal_form("/" + "[" * 4096) is None


# --- paths: patterns ------------------------------------------------------------------

PATTERNS: Final = [
    # exact: equal.
    ("exact /", "/", "/a // /a/"),
    ("exact /a", "/a", "/a/ /A /ab / /a/b"),
    ("exact /a/", "/a/", "/a /a/b"),
    ("exact /a%20b", "/a%20b", "/a+b /ab"),
    ("exact /a.*", "/a.*", "/ab /a.b /a."),
    # prefix: whole segments; a slash at the end of the pattern does not count.
    ("prefix /", "/ /a /a/b/", ""),
    ("prefix /a", "/a /a/ /a/b /a/b/c", "/ /ab /b/a /A /a;x"),
    ("prefix /a/", "/a /a/ /a/b", "/ /ab"),
    ("prefix /a/b", "/a/b /a/b/ /a/b/c", "/a /a/ /a/bc /a/c/b"),
    # template: {*} is one segment that is not empty.
    ("template /a/{*}", "/a/b /a/%20 /a/{*}", "/a /a/ /a/b/ /a/b/c /b/b"),
    ("template /{*}", "/a", "/ /a/ /a/b"),
    ("template /a/{*}/b", "/a/x/b", "/a/b /a/x/y/b /a/x/b/ /a/x/c"),
    ("template /a/{*}/", "/a/x/", "/a/ /a/x /a/x/y"),
    ("template /{*}/{*}", "/a/b", "/a /a/ /a/b/ /a/b/c"),
    ("template /a", "/a", "/a/ /b"),
    # {**} is whatever follows the slash, also nothing.
    ("template /s/{**}", "/s/ /s/a /s/a/b/ /s/{**}", "/s / /sa /t/a"),
    ("template /{**}", "/ /a /a/b/", ""),
    ("template /{*}/b/{**}", "/a/b/ /a/b/c/d", "/a/b /b/ /a/c/b"),
]


@pytest.mark.parametrize("pattern, yes, no", PATTERNS)
def test_a_pattern_matches(pattern: str, yes: str, no: str) -> None:
    kind, _, text = pattern.partition(" ")
    match = PathMatch(PathKind(kind), text)
    for path in yes.split():
        assert path_matches(match, path), path
    for path in no.split():
        assert not path_matches(match, path), path


# --- hosts ----------------------------------------------------------------------------

AUTHORITIES: Final = {
    "cart.shop": "cart.shop",
    "Cart.SHOP:8080": "cart.shop",
    "cart.shop.": "cart.shop",
    "cart.shop.:80": "cart.shop",
    "cart.shop..": "cart.shop.",
    "cart.shop:": "cart.shop",
    "[FD00::1]:80": "[fd00::1]",
    "[fd00::1]": "[fd00::1]",
    "[fd00::1": "[fd00::1",
    "192.0.2.1:80": "192.0.2.1",
    "": "",
    ":80": "",
}


@pytest.mark.parametrize("authority, host", AUTHORITIES.items())
def test_the_host_of_an_authority(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    "pattern, yes, no",
    [
        ("a.b", "a.b", "x.a.b a.b.c a b xa.b"),
        ("*.a.b", "x.a.b x.y.a.b", "a.b .a.b ..a.b xa.b a.b.c b x.a.bc"),
        ("*.b", "a.b x.a.b", "b .b ab"),
    ],
)
def test_a_host_pattern_matches(pattern: str, yes: str, no: str) -> None:
    for host in yes.split():
        assert host_matches(pattern, host), host
    for host in no.split():
        assert not host_matches(pattern, host), host

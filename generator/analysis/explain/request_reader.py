"""Read a request as options spell it, and check what a question asks for.

    --method POST --path /cart/items?x=1 --header x-team:blue --header x-tag=a

A path may be anything: what can be read in two ways is a question worth asking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from generator.analysis.errors import QuestionError
from generator.errors import Diagnostic
from generator.policy.model import Protocol
from generator.policy.request import HttpRequest

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2: what methods and names of headers consist of."""

_LINE: Final = re.compile(r"[^\r\n\0]*")
_HEADER: Final = re.compile(r"([^:=]+)[:=](.*)", re.DOTALL)


def read_request(
    method: str | None, path: str | None, host: str | None, headers: Iterable[str]
) -> HttpRequest:
    """Make a request of options; None is what was not given.

    Raises: QuestionError RUN0018 for a header without a value.
    """
    return HttpRequest(
        method or "GET",
        "/" if path is None else path,
        host or "",
        tuple(_read_header(text) for text in headers),
    )


def check_request(request: HttpRequest, protocol: Protocol) -> None:
    """Refuse what no client can send.

    Raises: QuestionError RUN0016 for another protocol than TCP, RUN0018 otherwise.
    """
    if protocol is not Protocol.TCP:
        raise QuestionError.of("RUN0016", f"a request cannot go over {protocol}")
    if not _TOKEN.fullmatch(request.method):
        raise _wrong(f"{request.method!a} is not a method")
    texts = {"path": request.path, "host": request.host}
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name):
            raise _wrong(f"{name!a} is not the name of a header")
        if name.lower() == "host":
            raise _wrong("the host is no header here", "say it with --host or `host:`")
        if not _LINE.fullmatch(value):
            raise _wrong(f"header {name} has more than one line")
        texts[f"header {name}"] = value
    for what, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _wrong(f"the {what} is not UTF-8") from None


def _read_header(text: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(text)
    if found is None:
        raise _wrong(f"{text!a} is not a header", "write it as name:value")
    return found[1].strip().lower(), found[2].strip()


def _wrong(message: str, hint: str = "") -> QuestionError:
    return QuestionError([Diagnostic("RUN0018", message, hint=hint)])

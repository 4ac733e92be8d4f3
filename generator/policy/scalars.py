"""What a plain YAML scalar is: text, number, boolean or null.

`kubectl` reads YAML 1.1, where `yes`, `on` and `y` are booleans. What is no text for
`kubectl` must be no text here, or a label would mean one thing to the cluster and
another to pepmesh. Quoted scalars are always text and never come here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

ScalarKind = Literal["null", "boolean", "number", "text"]

TRUE: Final = frozenset(
    {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
)
FALSE: Final = frozenset(
    {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
)
NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
"""The only spelling of a number that every YAML reader takes for the same number."""

_WORDS: Final[dict[str, ScalarKind]] = {
    **dict.fromkeys(NULL, "null"),
    **dict.fromkeys(TRUE | FALSE, "boolean"),
}
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_NUMBER: Final = re.compile(
    r"[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*"
    r"|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))"
    r"|\.(nan|NaN|NAN)"
)


def classify(text: str) -> ScalarKind:
    """Tell what a plain scalar is to a YAML 1.1 reader such as `kubectl`."""
    kind = _WORDS.get(text)
    if kind is not None:
        return kind
    if text[0] in _NUMBER_STARTS and _NUMBER.fullmatch(text):
        return "number"
    return "text"

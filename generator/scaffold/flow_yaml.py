"""Write small values as YAML in flow style: `{matchLabels: {app: cart, ssd: "true"}}`.

Part of `scaffold`: names and labels come from manifests, so whatever YAML could take
for something else than a text is quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from generator.policy.scalars import classify

_PLAIN: Final = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*|[0-9]+(\.[0-9]+){3}"
)


def flow(value: object) -> str:
    """Write a mapping, a number or a text."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(k)}: {flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, int):
        return str(value)
    return scalar(str(value))


def scalar(text: str) -> str:
    """Write a text, in quotes where it would be something else without."""
    if _PLAIN.fullmatch(text) and classify(text) == "text":
        return text
    return json.dumps(text, ensure_ascii=False)


def block(fields: Mapping[str, object], indent: int) -> str:
    """Write a mapping with a line for each field; the first line is not indented."""
    lines = (f"{flow(key)}: {flow(value)}" for key, value in fields.items())
    return f"\n{' ' * indent}".join(lines)

"""The parts of a structural schema, as functions that return plain data.

Part of `crd`. A structural schema says the type of every node; what it cannot say is
said in CEL. The API server bounds what CEL may cost, by the limits of the lists above
a rule: so every list has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Schema = dict[str, Any]

RULES: Final = "x-kubernetes-validations"


def text(description: str, *, pattern: str = "", most: int = 0) -> Schema:
    found: Schema = {"type": "string", "description": description}
    if most:
        found["maxLength"] = most
    if pattern:
        found["pattern"] = f"^({pattern})$" if "|" in pattern else f"^{pattern}$"
    return found


def choice(description: str, words: Sequence[str]) -> Schema:
    return {"type": "string", "description": description, "enum": list(words)}


def number(description: str, first: int, last: int) -> Schema:
    bounds = {"minimum": first, "maximum": last}
    return {
        "type": "integer",
        "format": "int32",
        "description": description,
        **bounds,
    }


def switch(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def array(description: str, items: Schema, *, least: int, most: int) -> Schema:
    return {
        "type": "array",
        "description": description,
        "items": items,
        "minItems": least,
        "maxItems": most,
        "x-kubernetes-list-type": "atomic",
    }


def record(
    description: str,
    properties: Mapping[str, Schema],
    *,
    required: Sequence[str] = (),
    rules: Sequence[Schema] = (),
) -> Schema:
    found: Schema = {"type": "object", "description": description}
    found["properties"] = dict(properties)
    if required:
        found["required"] = list(required)
    if rules:
        found[RULES] = list(rules)
    return found


def rule(expression: str, message: str) -> Schema:
    """A CEL rule about `self`, and what to say if it does not hold."""
    return {"rule": expression, "message": message}


def exactly_one(fields: Sequence[str], noun: str) -> Schema:
    """The rule that one of some optional fields is set."""
    given = ", ".join(f"has(self.{field})" for field in fields)
    expression = f"[{given}].exists_one(is_given, is_given)"
    return rule(expression, f"{noun} has exactly one of {', '.join(fields)}")

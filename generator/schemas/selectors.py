"""The schema of label selectors; patterns of labels and names. Part of `crd`."""

from __future__ import annotations

from typing import Final

from generator.schemas.parts import Schema, choice, text

LABEL_VALUE: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
OBJECT_NAME: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
NAMESPACE_NAME: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{NAMESPACE_NAME}(\.{NAMESPACE_NAME})*"
_LABEL_KEY: Final = f"({_SUBDOMAIN}/)?{LABEL_VALUE}"


def selector(description: str) -> Schema:
    """A label selector. It has no limits of its own, so no CEL: what operators want of
    values is said by cases."""
    return {
        "type": "object",
        "description": f"{description} An empty selector selects all.",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "Labels that must be there with these values.",
                "additionalProperties": _value(),
            },
            "matchExpressions": {
                "type": "array",
                "description": "Requirements, all of which must hold.",
                "items": _expression(),
                "x-kubernetes-list-type": "atomic",
            },
        },
        "x-kubernetes-map-type": "atomic",
    }


def _expression() -> Schema:
    values = {
        "type": "array",
        "description": "Needed by In and NotIn; Exists and DoesNotExist have none.",
        "items": _value(),
        "x-kubernetes-list-type": "atomic",
    }
    operators = ("In", "NotIn", "Exists", "DoesNotExist")
    return {
        "type": "object",
        "description": "A requirement on one label.",
        "properties": {
            "key": text("The key of the label.", pattern=_LABEL_KEY, most=317),
            "operator": choice("How the label relates to the values.", operators),
            "values": values,
        },
        "required": ["key", "operator"],
        "oneOf": [
            {
                "properties": {
                    "operator": {"enum": list(operators[:2])},
                    "values": {"minItems": 1},
                },
                "required": ["values"],
            },
            {
                "properties": {
                    "operator": {"enum": list(operators[2:])},
                    "values": {"maxItems": 0},
                }
            },
        ],
    }


def _value() -> Schema:
    return text("The value of a label.", pattern=f"({LABEL_VALUE})?", most=63)

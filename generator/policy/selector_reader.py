"""Read label selectors: `matchLabels` and `matchExpressions` become requirements.

"The requirements are ANDed." Unknown fields are errors: a selector with a misspelt
`matchLabels` would select everything.
"""

from __future__ import annotations

from typing import Final

from generator.policy.fields import Value
from generator.policy.findings import Findings
from generator.policy.labels import read_label_key, read_label_value, read_labels
from generator.policy.model import LabelSelector, Operator, Requirement

_SELECTOR: Final = frozenset({"matchLabels", "matchExpressions"})
_EXPRESSION: Final = frozenset({"key", "operator", "values"})
_OPERATORS: Final = {operator.value: operator for operator in Operator}
_WITH_VALUES: Final = frozenset({Operator.IN, Operator.NOT_IN})


def read_selector(value: Value | None, findings: Findings) -> LabelSelector:
    """Read a selector; an absent, null or empty one selects everything."""
    if value is None:
        return LabelSelector()
    value.refuse_unknown(_SELECTOR, findings)
    labels, expressions = value.get("matchLabels"), value.get("matchExpressions")
    requirements: list[Requirement] = []
    with findings.collect():
        requirements += _read_match_labels(labels) if labels else ()
    if expressions is not None:
        requirements += findings.each(expressions.items(), _read_expression, findings)
    return LabelSelector(tuple(requirements))


def _read_match_labels(labels: Value) -> list[Requirement]:
    """Read `matchLabels`.

    "A single {key,value} in the matchLabels map is equivalent to an element of
    matchExpressions, whose key field is "key", the operator is "In", and the values
    array contains only "value"." So an empty value asks for the key, with that value.
    """
    return [
        Requirement(key, Operator.IN, (value,), labels.span_of_key(key))
        for key, value in labels.recall(read_labels).items()
    ]


def _read_expression(value: Value, findings: Findings) -> Requirement:
    value.refuse_unknown(_EXPRESSION, findings)
    key = read_label_key(value.require("key"))
    operator = _read_operator(value.require("operator"))
    items = value.items_of("values")
    values = tuple(read_label_value(item) for item in items)
    # "If the operator is In or NotIn, the values array must be non-empty.
    # If the operator is Exists or DoesNotExist, the values array must be empty."
    if operator in _WITH_VALUES and not values:
        raise value.error("POL0012", f"{operator} needs values")
    if operator not in _WITH_VALUES and values:
        raise items[0].error("POL0012", f"{operator} takes no values")
    return Requirement(key, operator, values, value.first_line)


def _read_operator(value: Value) -> Operator:
    text = value.text()
    if text not in _OPERATORS:
        raise value.error("POL0003", f'unknown operator "{text}"')
    return _OPERATORS[text]

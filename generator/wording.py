"""Words that several parts use in their sentences."""

from __future__ import annotations

from collections.abc import Iterable

from generator.policy.model import Operator, Requirement


def listed(values: Iterable[str], most: int = 6) -> str:
    """Spell a list that a sentence can hold."""
    found = list(values)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def requirement_text(requirement: Requirement) -> str:
    """Spell a requirement as kubectl does, or nearly."""
    key, values = requirement.key, requirement.values
    match requirement.operator:
        case Operator.IN if len(values) == 1:
            return f"{key}={values[0]}"
        case Operator.IN:
            return f"{key} in ({listed(values)})"
        case Operator.NOT_IN:
            return f"{key} not in ({listed(values)})"
        case Operator.EXISTS:
            return f"a label {key}"
        case Operator.DOES_NOT_EXIST:
            return f"no label {key}"

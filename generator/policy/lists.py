"""Lists with a least and a most number of entries, as custom resources have them."""

from __future__ import annotations

from generator.policy.fields import Value


def read_list(value: Value | None, least: int, most: int) -> list[Value]:
    """Return the items of a list. An absent one has none, if that is not too few."""
    items = [] if value is None else value.items()
    if value is not None and len(items) < least:
        hint = f"write at least {least}, or leave the field out if it is optional"
        raise value.error("POL0034", "the list is empty", hint)
    if value is not None and len(items) > most:
        message = f"{len(items)} entries, at most {most} are allowed"
        raise value.error("POL0034", message)
    return items

"""Read the mode of a policy: audited is counted and logged, never enforced."""

from __future__ import annotations

from typing import Final

from generator.policy.documents import Manifest
from generator.policy.fields import Value

MODE: Final = "pepmesh.dev/mode"
_MODES: Final = {"enforce": False, "audit": True}


def is_audited(manifest: Manifest) -> bool:
    """Tell whether the annotation audits a policy. Any other mode is an error."""
    value = _annotation(manifest)
    return value is not None and _read(value)


def read_mode(value: Value | None, manifest: Manifest) -> bool:
    """Tell whether a policy is audited, by its field `mode` or by the annotation.

    Both must say the same: who wrote one may not know of the other.
    """
    annotation = _annotation(manifest)
    if value is None:
        return is_audited(manifest)
    found = _read(value)
    if annotation is not None and _read(annotation) is not found:
        message = f"mode {value.text()}, but the annotation {MODE} says otherwise"
        raise value.error("POL0049", message)
    return found


def _annotation(manifest: Manifest) -> Value | None:
    annotations = manifest.metadata.get("annotations")
    return annotations.get(MODE) if annotations else None


def _read(value: Value) -> bool:
    mode = value.text()
    if mode not in _MODES:
        raise value.error("POL0043", f'unknown mode "{mode}"')
    return _MODES[mode]

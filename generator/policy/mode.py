"""Read the annotation that audits a policy: counted and logged, never enforced."""

from __future__ import annotations

from typing import Final

from generator.policy.documents import Manifest

MODE: Final = "pepmesh.dev/mode"
_MODES: Final = {"enforce": False, "audit": True}


def is_audited(manifest: Manifest) -> bool:
    """Tell whether a policy is to be audited. Any other mode is an error."""
    annotations = manifest.metadata.get("annotations")
    value = annotations.get(MODE) if annotations else None
    if value is None:
        return False
    mode = value.text()
    if mode not in _MODES:
        raise value.error("POL0043", f'unknown mode "{mode}"')
    return _MODES[mode]

"""The filter's reason codes, spelt as the filter spells them in logs and counters."""

from __future__ import annotations

from typing import Final

from filters.reasons import Reason, reason_name


def spell(reason: Reason) -> str:
    return bytes(reason_name(reason)).decode()


ALLOWED: Final = spell(Reason.ALLOWED)
EGRESS_DENIED: Final = spell(Reason.EGRESS_DENIED)
INGRESS_DENIED: Final = spell(Reason.INGRESS_DENIED)
REQUEST_AMBIGUOUS: Final = spell(Reason.REQUEST_AMBIGUOUS)
SOURCE_MISSING: Final = spell(Reason.SOURCE_MISSING)
SOURCE_REVOKED: Final = spell(Reason.SOURCE_REVOKED)
TARGET_AMBIGUOUS: Final = spell(Reason.TARGET_AMBIGUOUS)
TARGET_EMPTY: Final = spell(Reason.TARGET_EMPTY)

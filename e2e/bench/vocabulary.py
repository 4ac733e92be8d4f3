"""Words that the big mesh's names are made of.

Teams own applications, an application has one namespace per stage, and its services are
things in roles: `orders-api`. Different teams use the same words, and an application
runs the same services in every stage, so names repeat across namespaces as they do in
clusters that people run.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STAGES: Final = ("prod", "staging", "dev")

AREAS: Final = _words(
    """accounts analytics audit billing campaigns catalog chat checkout claims content
    contracts delivery documents events finance fraud fulfilment identity insights
    inventory learning ledger logistics loyalty maps marketing media messaging mobile
    orders partners payments pricing procurement risk search support treasury warehouse
    workforce"""
)
"""One per team."""

PARTS: Final = _words("core edge data jobs reports intake sync ops labs")

THINGS: Final = _words(
    """accounts addresses alerts assets baskets bookings budgets calendars carts cases
    comments contacts coupons currencies customers deliveries devices discounts drafts
    exports feeds files forecasts images imports invoices items jobs labels leads
    licences lists locations mails members notes offers orders parcels payouts plans
    points prices products profiles quotes ratings receipts refunds returns routes
    schedules sessions shipments stock suppliers tasks tickets vouchers zones"""
)

ROLES: Final = ("web", "api", "worker", "cache", "db")

PLATFORM_SERVICES: Final = {
    "dns": "api",
    "prometheus": "worker",
    "grafana": "web",
    "gateway": "web",
    "alerts": "worker",
    "logs": "db",
    "traces": "db",
    "secrets": "api",
    "registry": "api",
    "runner": "worker",
}
"""What runs in the platform team's namespace, with its role."""

"""Random models over a small alphabet, so that identities split, merge and return."""

from __future__ import annotations

from hypothesis import strategies as st

from generator.policy.model import Member, Model, Policy, Service
from tests.overlay.shapes import member, model, selecting, service

KEYS = ("app", "env", "role", "tier")


@st.composite
def members(draw: st.DrawFn, name: str) -> Member:
    return member(
        name,
        draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from("ab"))),
        namespace=draw(st.sampled_from(("shop", "pay"))),
        account=draw(st.sampled_from(("default", "robot"))),
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Draw up to six members, some Services, and the keys that policy looks at."""
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True))
    things: list[Member | Service | Policy] = [draw(members(name)) for name in names]
    for name in draw(st.lists(st.sampled_from("uvw"), unique=True)):
        things.append(service(name, {"app": draw(st.sampled_from("ab"))}))
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    return model(*things, selecting(*keys))

"""Which accesses are surely inside their array, so that they need no check.

By interval: `TABLE[i & 63]` of 64 elements. By a fact of control flow: inside
`for i in range(len(v))`, or after `i < len(v)` was seen to hold, `v[i]` is inside, as
long as neither local is assigned meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from generator.compiler.fold import negate
from generator.compiler.ir import (
    Compare,
    Element,
    Expr,
    Length,
    LoadBytes,
    Local,
    Logic,
    Not,
    PoolItem,
    ReadLocal,
    Static,
)
from generator.compiler.ir_statements import For, Stmt
from generator.compiler.walk import assigned_locals

Fact = tuple[Local, Local]
"""An index and an array that is longer."""


def known_count(array: Expr) -> int | None:
    """Return the number of elements of an array if other code may rely on it."""
    if isinstance(array, Static) and not array.object.is_embedded:
        return array.object.count
    return None


def is_inside(array: Expr, index: Expr, facts: Iterable[Fact] = ()) -> bool:
    """Tell whether `array[index]` needs no check."""
    count = known_count(array)
    if count is not None:
        return index.interval.high < count
    if isinstance(array, ReadLocal) and isinstance(index, ReadLocal):
        return (index.local, array.local) in facts
    return False


def cannot_fault(access: Element | LoadBytes | PoolItem) -> bool:
    """Tell whether an access is inside wherever it stands."""
    match access:
        case Element():
            return is_inside(access.array, access.index)
        case LoadBytes():
            count = known_count(access.view)
            last = access.offset.interval.high + access.size_bytes
            return count is not None and last <= count
        case PoolItem():
            return access.index.interval.high < access.pool.count


def facts_of(condition: Expr) -> frozenset[Fact]:
    """Return what is known where a condition holds."""
    match condition:
        case Logic(operation="and"):
            return facts_of(condition.left) | facts_of(condition.right)
        case Compare(operation="<", left=ReadLocal(local=index), right=Length() as end):
            return _below(index, end)
        case Compare(operation=">", left=Length() as end, right=ReadLocal(local=index)):
            return _below(index, end)
        case _:
            return frozenset()


def facts_unless(condition: Expr) -> frozenset[Fact]:
    """Return what is known where a condition does not hold."""
    match condition:
        case Logic(operation="or"):
            return facts_unless(condition.left) | facts_unless(condition.right)
        case Compare() | Not():
            return facts_of(negate(condition))
        case _:
            return frozenset()


def facts_of_loop(loop: For) -> frozenset[Fact]:
    """Return what is known in the body of a `for`, before its assignments count."""
    if loop.step > 0 and isinstance(loop.stop, Length):
        return _below(loop.counter, loop.stop)
    return frozenset()


def _below(index: Local, end: Length) -> frozenset[Fact]:
    if isinstance(end.array, ReadLocal):
        return frozenset({(index, end.array.local)})
    return frozenset()


def lasting(facts: frozenset[Fact], body: Iterable[Stmt]) -> frozenset[Fact]:
    """Return the facts that hold throughout a block."""
    if not facts:
        return facts
    assigned = set(assigned_locals(body))
    return frozenset(
        (index, array)
        for index, array in facts
        if index not in assigned and array not in assigned
    )

"""Who is measured when."""

from __future__ import annotations

from e2e.bench.turns import in_turns


def test_order_rotates_and_everybody_has_one_turn_a_round() -> None:
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return len(order)

    results = in_turns("abc", 4, measure)
    assert "".join(order) == "abcbcacababc"
    assert results == {"a": [1, 6, 8, 10], "b": [2, 4, 9, 11], "c": [3, 5, 7, 12]}

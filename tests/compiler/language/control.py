"""Control flow: if, while, for, and/or/not, conditional expressions, assert."""

from __future__ import annotations

from filters.lang import export, i32, on_fault, u8, u32, u64

calls: u32 = 0


@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(1000 + number)


def counted(answer: bool) -> bool:
    """A condition that leaves a trace."""
    global calls
    calls = u32(calls + 1)
    return answer


@export
def sign(a: i32) -> i32:
    """
    (5) -> 1
    (0) -> 0
    (4294967291) -> 4294967295
    """
    if a > 0:
        return 1
    elif a == 0:  # noqa: RET505 (what is tested)
        return 0
    else:
        return -1


@export
def gauss(n: u32) -> u32:
    """
    (0) -> 0
    (10) -> 55
    (1000) -> 500500
    """
    total: u32 = 0
    i: u32 = 0
    while i < n:
        i = u32(i + 1)
        total = u32(total + i)
    return total


@export
def first_divisor(n: u32) -> u32:
    """
    (35) -> 5
    (7) -> 7
    """
    for i in range(2, n):
        if n % i == 0:
            return i
    return n


@export
def skips_and_stops(n: u32) -> u32:
    """
    (100) -> 30
    (4) -> 6
    """
    total: u32 = 0
    for i in range(n):
        if i % 2 == 1 and i > 4:
            continue
        if i == 12:
            break
        total = u32(total + i)
    return u32(total - 4) if total > 29 else total


@export
def while_with_continue(n: u32) -> u32:
    """
    (10) -> 25
    """
    total: u32 = 0
    while n > 0:
        n = u32(n - 1)
        if n % 2 == 0:
            continue
        total = u32(total + n)
    return total


@export
def endless_with_break(n: u32) -> u32:
    """
    (5) -> 16
    """
    value: u32 = 1
    while True:
        if value > n * 3:
            break
        value = u32(value * 2)
    return value


@export
def returns_from_endless(n: u32) -> u32:
    """
    (9) -> 9
    """
    i: u32 = 0
    while True:
        if i == n:
            return i
        i = u32(i + 1)


@export
def counts_down(n: u32) -> u32:
    """
    (3) -> 3210
    """
    text: u32 = 0
    for i in range(3, -1, -1):
        text = u32(text * 10 + i)
    return text


@export
def steps_of_three(a: u32, b: u32) -> u32:
    """
    (0, 10) -> 18
    (1, 10) -> 12
    (10, 1) -> 0
    (4294967290, 4294967295) -> 4294967287
    """
    total: u64 = 0
    for i in range(a, b, 3):
        total = u64(total + i)
    return u32(total)


@export
def down_by_two(a: u32) -> u32:
    """
    (9) -> 24
    (8) -> 20
    (0) -> 0
    """
    total: u32 = 0
    for i in range(a, 1, -2):
        total = u32(total + i)
    return total


@export
def signed_range(a: i32, b: i32) -> i32:
    """
    (4294967293, 3) -> 4294967293
    (4294967293, 4294967290) -> 0
    """
    total: i32 = 0
    for i in range(a, b):
        total = i32(total + i)
    return total


@export
def stop_is_negative(a: i32) -> u32:
    """
    (4294967291) -> 0
    (3) -> 3
    """
    turns: u32 = 0
    for _ in range(a):
        turns = u32(turns + 1)
    return turns


@export
def bounds_are_taken_once(n: u32) -> u32:
    """
    (4) -> 4
    """
    turns: u32 = 0
    for _ in range(n):
        n = 100
        turns = u32(turns + 1)
    return turns


@export
def nested(n: u32) -> u32:
    """
    (5) -> 40
    """
    total: u32 = 0
    for i in range(n):
        for j in range(n):
            if j == i:
                continue
            if j > 100:
                break
            total = u32(total + j)
    for i in range(3):
        total = u32(total + i - 1)
    return total


@export
def breaks_inner_only(n: u32) -> u32:
    """
    (5) -> 10
    """
    total: u32 = 0
    for i in range(n):
        while True:
            if total >= 0:
                break
        for j in range(i, 10):
            if j != i:
                break
            total = u32(total + j)
    return total


@export
def large_constant_loop(n: u32) -> u32:
    """
    (1) -> 5000
    (0) -> 0
    """
    total: u32 = 0
    for _ in range(5000):
        total = u32(total + n)
    return total


@export
def shortcut(a: u32, b: u32) -> u32:
    """
    (0, 0) -> 3
    (1, 0) -> 4
    (0, 1) -> 3
    (1, 1) -> 3
    """
    global calls
    calls = 0
    first = counted(a == 1) and counted(b == 1)
    second = counted(first) or counted(a == 0)
    if second and (first or a == 0 or b == 0):
        return calls
    return calls


@export
def conditions(a: u32, b: u32, c: u32) -> u32:
    """
    (0, 0, 0) -> 8
    (1, 1, 0) -> 3
    (1, 0, 1) -> 5
    (0, 1, 1) -> 12
    (1, 1, 1) -> 7
    (0, 0, 1) -> 12
    """
    result: u32 = 0
    if a == 1:
        result = 1
    if a == 1 and b == 1:
        result = u32(result + 2)
    if (a == 1 or b == 1 or b == 0) and c == 1:
        result = u32(result + 4)
    if not (a == 1 or (b == 1 and c == 0)):
        result = u32(result + 8)
    return result


@export
def conditions_with_else(a: u32, b: u32) -> u32:
    """
    (0, 0) -> 22
    (1, 0) -> 12
    (0, 1) -> 12
    (1, 1) -> 11
    """
    result: u32 = 20
    if a == 1 or b == 1:
        result = 10
    if a == 1 and b == 1:
        result = u32(result + 1)
    else:
        b = 5
        result = u32(result + 2)
    return u32(result + b - b)


@export
def only_else(a: u32) -> u32:
    """
    (1) -> 0
    (2) -> 5
    """
    result: u32 = 0
    if a == 1:
        pass
    else:
        result = 5
    return result


@export
def chosen(a: u32, b: u32) -> u32:
    """
    (0, 5) -> 99
    (10, 5) -> 2
    (0, 0) -> 99
    """
    return a // b if a > b else 99


@export
def chosen_in_ring(a: u32) -> u32:
    """
    (4) -> 52
    (12) -> 99
    """
    digit = a
    return u8(digit + 48 if digit < 10 else digit + 87)


@export
def chosen_bool(a: u32, b: u32) -> bool:
    """
    (1, 1) -> 1
    (1, 2) -> 0
    (2, 0) -> 0
    (2, 2) -> 1
    """
    return b == 1 if a == 1 else b == 2


@export
def asserted(a: u32) -> u32:
    """
    (1) -> 1
    (2) -> fault 4
    """
    assert a == 1, "must be one"
    return a


@export
def never(a: u32) -> u32:
    """
    (0) -> 0
    (1) -> fault 4
    """
    if a == 0:
        return a
    assert False  # noqa: B011 (what is tested)

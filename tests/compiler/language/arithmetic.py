"""Integers: exact arithmetic, conversions, comparisons, min and max."""

from __future__ import annotations

from filters.lang import export, i32, i64, on_fault, rotr32, u8, u16, u32, u64


@on_fault
def fault(context_id: u32, number: u32) -> u32:
    return u32(1000 + number)


# --- exact arithmetic: a result is never cut off, wherever it is used ----------------


@export
def sum_exceeds(a: u32, b: u32, limit: u32) -> bool:
    """
    (4294967295, 4294967295, 4294967295) -> 1
    (1, 2, 3) -> 0
    (4294967295, 1, 0) -> 1
    """
    return a + b > limit


@export
def difference_is_negative(a: u32, b: u32) -> bool:
    """
    (1, 2) -> 1
    (2, 1) -> 0
    (0, 4294967295) -> 1
    """
    return a - b < 0


@export
def product(a: u32, b: u32) -> u64:
    """
    (4294967295, 4294967295) -> 18446744065119617025
    (3, 4) -> 12
    """
    return a * b


@export
def middle(a: u32, b: u32) -> u32:
    """
    (4294967295, 4294967295) -> 4294967295
    (4294967295, 1) -> 2147483648
    (3, 4) -> 3
    """
    return (a + b) >> 1


@export
def negative_shift(a: u32, b: u32) -> i64:
    """
    (0, 5) -> 18446744073709551613
    (9, 1) -> 4
    """
    return (a - b) >> 1


@export
def wide_and_narrow(a: u64, b: u32) -> u64:
    """
    (18446744073709551615, 255) -> 255
    (4294967296, 4294967295) -> 0
    """
    return a & b


@export
def signed_product(a: i32, b: i32) -> i64:
    """
    (4294967295, 5) -> 18446744073709551611
    (2147483648, 2147483648) -> 4611686018427387904
    """
    return a * b


@export
def high_half(a: u64) -> u32:
    """
    (18446744073709551615) -> 4294967295
    (4294967296) -> 1
    """
    return a >> 32


@export
def shifted_by(a: u32, n: u32) -> u64:
    """
    (4294967295, 31) -> 9223372034707292160
    (1, 0) -> 1
    (1, 33) -> 2
    """
    return a << (n & 31)


@export
def right_by_63(a: u64, n: u32) -> u64:
    """
    (18446744073709551615, 63) -> 1
    (18446744073709551615, 0) -> 18446744073709551615
    """
    return a >> (n & 63)


@export
def narrow_right_by_63(a: u32, n: u32) -> u32:
    """
    (4294967295, 40) -> 0
    (4294967295, 4) -> 268435455
    """
    return a >> (n & 63)


@export
def signed_right(a: i32, n: u32) -> i32:
    """
    (4294967288, 1) -> 4294967292
    (4294967288, 40) -> 4294967295
    (8, 2) -> 2
    """
    return a >> (n & 63)


@export
def inverted(a: u32) -> i64:
    """
    (0) -> 18446744073709551615
    (4294967295) -> 18446744069414584320
    """
    return ~a


@export
def negated(a: u32) -> i64:
    """
    (0) -> 0
    (4294967295) -> 18446744069414584321
    """
    return -a


@export
def mixed_bits(a: i32, b: u32) -> i64:
    """
    (4294967295, 4294967295) -> 18446744069414584320
    (4294967295, 0) -> 18446744073709551615
    """
    return a ^ b


# --- conversions ---------------------------------------------------------------------


@export
def as_u8(a: u64) -> u32:
    """
    (511) -> 255
    (18446744073709551360) -> 0
    """
    return u8(a)


@export
def as_u16(a: u32) -> u32:
    """
    (65536) -> 0
    (4294967295) -> 65535
    """
    return u16(a)


@export
def as_i32(a: u32) -> i32:
    """
    (4294967295) -> 4294967295
    (2147483647) -> 2147483647
    """
    return i32(a)


@export
def sign_survives(a: u32) -> bool:
    """
    (4294967295) -> 1
    (2147483648) -> 1
    (2147483647) -> 0
    """
    return i32(a) < 0


@export
def widened_sign(a: u32) -> i64:
    """
    (4294967295) -> 18446744073709551615
    (5) -> 5
    """
    return i32(a)


@export
def as_i64(a: u64) -> i64:
    """
    (18446744073709551615) -> 18446744073709551615
    """
    return i64(a)


@export
def from_bool(a: u32) -> u32:
    """
    (0) -> 7
    (3) -> 8
    """
    return u32(a != 0) + u8(7)


@export
def ring_of_three(a: u32, b: u32, c: u32) -> u32:
    """
    (4294967295, 4294967295, 4294967295) -> 2147483647
    (65536, 65536, 1) -> 2147483650
    """
    return u32(a * b * c * a * b - (c << 31) + 1 + c) - u32(0)


@export
def ring_64(a: u64, b: u64) -> u64:
    """
    (18446744073709551615, 18446744073709551615) -> 1
    (4294967296, 4294967296) -> 0
    """
    return u64(a * b)


@export
def ring_shift(a: u32) -> u32:
    """
    (4294967295) -> 0
    """
    return u32(a << 40)


@export
def ring_keeps_high_bits(a: u32, b: u32) -> u32:
    """
    (4294967295, 1) -> 2147483648
    """
    return u32((a + b) >> 1)


@export
def ring_of_wide(a: u64, b: u64) -> u32:
    """
    (18446744073709551615, 3) -> 4294967291
    """
    return u32(a * b - 2)


@export
def ring_of_negative(a: u32) -> u64:
    """
    (1) -> 18446744073709551615
    (0) -> 0
    """
    return u64(-a)


@export
def nested_conversion(a: u32) -> u64:
    """
    (4294967295) -> 255
    (256) -> 1
    """
    return u64(u8(a + 1)) + u64(u8(a) & 255) if u8(a) != 0 else 1


# --- division ------------------------------------------------------------------------


@export
def quotient(a: u32, b: u32) -> u32:
    """
    (7, 2) -> 3
    (4294967295, 1) -> 4294967295
    (1, 0) -> fault 3
    """
    return a // b


@export
def remainder_64(a: u64, b: u64) -> u64:
    """
    (18446744073709551615, 10) -> 5
    (5, 0) -> fault 3
    """
    return a % b


@export
def mixed_division(a: u64, b: u32) -> u64:
    """
    (18446744073709551615, 4294967295) -> 4294967297
    (18446744073709551614, 4294967295) -> 8589934590
    (18446744073709551615, 0) -> fault 3
    """
    return u64(a // b + a % b)


@export
def constant_division(a: u32) -> u32:
    """
    (100) -> 45
    """
    return a // 3 + a % 7 + a // 10


# --- comparisons ---------------------------------------------------------------------


@export
def signed_against_unsigned(a: i32, b: u32) -> bool:
    """
    (4294967295, 4294967295) -> 1
    (1, 0) -> 0
    (0, 0) -> 0
    """
    return a < b


@export
def chained(a: u32) -> bool:
    """
    (47) -> 0
    (48) -> 1
    (57) -> 1
    (58) -> 0
    """
    return 48 <= a <= 57


@export
def chained_sum(a: u32, b: u32, c: u32) -> bool:
    """
    (1, 1, 3) -> 1
    (2, 1, 3) -> 0
    (1, 3, 3) -> 0
    """
    return a < b + 1 < c


@export
def signed_compare(a: i64, b: i64) -> u32:
    """
    (18446744073709551615, 0) -> 5
    (0, 18446744073709551615) -> 10
    (3, 3) -> 20
    """
    result: u32 = 0
    if a < b:
        result = u32(result + 1)
    if a > b:
        result = u32(result + 2)
    if a <= b:
        result = u32(result + 4)
    if a >= b:
        result = u32(result + 8)
    if a == b:
        result = u32(result + 8)
    return result


@export
def equal_bools(a: u32, b: u32) -> bool:
    """
    (0, 0) -> 1
    (1, 7) -> 1
    (1, 0) -> 0
    """
    return (a != 0) == (b != 0)


# --- min, max, rotations -------------------------------------------------------------


@export
def smallest(a: i32, b: u32) -> i32:
    """
    (4294967295, 4294967295) -> 4294967295
    (5, 3) -> 3
    """
    return i32(min(a, b))


@export
def largest(a: i32, b: i32) -> i32:
    """
    (4294967295, 1) -> 1
    (4294967291, 4294967294) -> 4294967294
    """
    return max(a, b)


@export
def clamped(a: u64) -> u32:
    """
    (18446744073709551615) -> 4294967295
    (7) -> 7
    """
    return min(a, 0xFFFFFFFF)


@export
def rotated(a: u32, n: u32) -> u32:
    """
    (1, 1) -> 2147483648
    (2147483649, 33) -> 3221225472
    (5, 0) -> 5
    (5, 4294967295) -> 10
    """
    return rotr32(a, n)

"""Token buckets in integers against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.platform.token_bucket import (
    NO_TOKEN,
    UNLIMITED_BUCKET,
    BucketLimits,
    bucket_limits,
    debt_after_change,
    debt_after_token,
)

SECOND = 10**9
GREATEST_INT64 = 2**63 - 1

SIZES = st.integers(1, 10_000_000)
SPANS = st.one_of(st.integers(1, 1_000), st.sampled_from([SECOND, 10 * SECOND, 60 * SECOND]), st.integers(1, 10**13))
ELAPSED = st.one_of(st.integers(0, 10), st.integers(0, 10**6), st.integers(0, 10**12), st.integers(0, 2**60))


def level(debt: int, limits: BucketLimits) -> Fraction:
    """Tokens that are left."""
    return Fraction(limits.depth - debt, limits.cost)


@given(SIZES, SIZES, SPANS, st.lists(ELAPSED, max_size=30))
def test_a_bucket_is_exact_for_every_rate(tokens: int, rate: int, per_ns: int, pauses: list[int]) -> None:
    """The level after each pause and token is that of fractions, and refusals are the same."""
    limits = bucket_limits(tokens=tokens, rate=rate, per_ns=per_ns)
    debt, elapsed, expected = 0, 0, Fraction(tokens)
    for pause in pauses:
        elapsed += pause
        refilled = min(Fraction(tokens), expected + Fraction(elapsed * rate, per_ns))
        after = debt_after_token(debt, elapsed, limits)
        assert (after == NO_TOKEN) == (refilled < 1)
        if after != NO_TOKEN:
            debt, elapsed, expected = after, 0, refilled - 1
            assert level(debt, limits) == expected


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), st.lists(st.integers(0, 5), max_size=40))
def test_a_small_bucket_is_exact_at_its_edges(tokens: int, rate: int, per_ns: int, pauses: list[int]) -> None:
    """Few tokens and pauses of few nanoseconds, so that the level is often exactly one or just below."""
    limits = bucket_limits(tokens=tokens, rate=rate, per_ns=per_ns)
    debt, elapsed, expected = 0, 0, Fraction(tokens)
    for pause in pauses:
        elapsed += pause
        refilled = min(Fraction(tokens), expected + Fraction(elapsed * rate, per_ns))
        after = debt_after_token(debt, elapsed, limits)
        assert (after == NO_TOKEN) == (refilled < 1)
        if after != NO_TOKEN:
            debt, elapsed, expected = after, 0, refilled - 1


@given(
    st.integers(1, 10_000_000),
    st.integers(1, 10_000_000),
    st.sampled_from([SECOND, 10 * SECOND, 60 * SECOND, 3_600 * SECOND]),
)
def test_the_numbers_of_a_bucket_fit_int64(tokens: int, rate: int, per_ns: int) -> None:
    """Depth and everything that is computed within the time that fills the bucket, for periods of up to an hour."""
    limits = bucket_limits(tokens=tokens, rate=rate, per_ns=min(per_ns, 60 * SECOND))
    assert limits.depth + limits.cost <= GREATEST_INT64
    assert limits.fill_ns * limits.speed <= GREATEST_INT64


def test_a_full_bucket_gives_all_its_tokens_at_once_and_no_more() -> None:
    """Three tokens in one instant; a fourth needs a whole token to come back."""
    limits = bucket_limits(tokens=3, rate=2, per_ns=SECOND)
    debt = 0
    for _ in range(3):
        debt = debt_after_token(debt, 0, limits)
        assert debt != NO_TOKEN
    assert debt_after_token(debt, 0, limits) == NO_TOKEN
    assert debt_after_token(debt, SECOND // 2 - 1, limits) == NO_TOKEN
    assert debt_after_token(debt, SECOND // 2, limits) == limits.depth


def test_unused_rate_does_not_add_up_beyond_the_bucket() -> None:
    """After any pause a bucket of one token gives one."""
    limits = bucket_limits(tokens=1, rate=1000, per_ns=SECOND)
    debt = debt_after_token(0, 10**15, limits)
    assert debt == limits.depth
    assert debt_after_token(debt, 0, limits) == NO_TOKEN


@pytest.mark.parametrize("elapsed_ns", [0, 1, 10**18])
def test_an_unlimited_bucket_never_refuses(elapsed_ns: int) -> None:
    """Its tokens cost nothing."""
    assert debt_after_token(0, elapsed_ns, UNLIMITED_BUCKET) == 0


@given(SIZES, SIZES, st.integers(1, 10_000_000), st.data())
def test_a_change_keeps_the_level_and_clamps_it(before: int, after: int, rate: int, data: st.DataObject) -> None:
    """The level stays what it was, clamped to the new depth."""
    old = bucket_limits(tokens=before, rate=rate, per_ns=SECOND)
    new = bucket_limits(tokens=after, rate=rate, per_ns=SECOND)
    debt = data.draw(st.integers(0, old.depth))
    assert level(debt_after_change(debt, old, new), new) == min(level(debt, old), Fraction(after))

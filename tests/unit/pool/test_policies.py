"""The options of retries and of the breaker: the last legal value and the first illegal one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from deuterium.config import BreakerPolicy, RetryPolicy

RETRY_LEGAL: list[dict[str, Any]] = [
    {"attempts": 1},
    {"attempts": 5},
    {"hedges": 0},
    {"hedges": 4},
    {"replays": 0},
    {"backoff_growth": 1.0},
    {"backoff_s": 0.0},
    {"max_retry_after_s": 0.0},
    {"budget_share": 0.0, "budget_minimum_per_s": 0.0},
    {"hedge_delay_s": 0.0},
    {"methods": frozenset()},
    {"methods": {"GET", "PUT", "DELETE"}},
    {"statuses": {429, 503}},
]
RETRY_ILLEGAL: list[dict[str, Any]] = [
    {"attempts": 0},
    {"attempts": 6},
    {"hedges": -1},
    {"hedges": 5},
    {"replays": -1},
    {"backoff_growth": 0.99},
    {"backoff_s": -0.1},
    {"max_backoff_s": -0.1},
    {"max_retry_after_s": -1},
    {"budget_share": -0.1},
    {"budget_minimum_per_s": -1},
    {"budget_window_s": 0},
    {"hedge_delay_s": -0.1},
    {"methods": {"GET", "POST"}},
    {"methods": {"PATCH"}},
    {"methods": {"CONNECT"}},
    {"methods": {"get"}},  # methods are case-sensitive (RFC 9110 section 9.1)
]
BREAKER_LEGAL: list[dict[str, Any]] = [
    {"failures_in_a_row": 1},
    {"failures_in_a_row": None},
    {"failure_count": 1},
    {"failure_share": 1.0},
    {"failure_share": None},
    {"slow_share": 1.0},
    {"slow_call_s": 0.001},
    {"minimum_calls": 1},
    {"probes": 1},
    {"open_growth": 1.0},
    {"open_s": 5.0, "max_open_s": 5.0},
]
BREAKER_ILLEGAL: list[dict[str, Any]] = [
    {"failures_in_a_row": 0},
    {"failure_count": 0},
    {"failure_share": 0.0},
    {"failure_share": 1.01},
    {"slow_share": 0.0},
    {"slow_share": 1.01},
    {"slow_call_s": 0.0},
    {"minimum_calls": 0},
    {"probes": 0},
    {"window_s": 0.0},
    {"open_s": 0.0},
    {"permit_s": 0.0},
    {"open_growth": 0.99},
    {"open_s": 5.0, "max_open_s": 4.9},
]


@pytest.mark.parametrize("options", RETRY_LEGAL, ids=str)
def test_retry_policy_last_legal_value_is_taken(options: dict[str, Any]) -> None:
    policy = RetryPolicy(**options)
    for name, value in options.items():
        assert getattr(policy, name) == value


@pytest.mark.parametrize("options", RETRY_ILLEGAL, ids=str)
def test_retry_policy_first_illegal_value_raises(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|not idempotent"):
        RetryPolicy(**options)


@pytest.mark.parametrize("options", BREAKER_LEGAL, ids=str)
def test_breaker_policy_last_legal_value_is_taken(options: dict[str, Any]) -> None:
    policy = BreakerPolicy(**options)
    for name, value in options.items():
        assert getattr(policy, name) == value


@pytest.mark.parametrize("options", BREAKER_ILLEGAL, ids=str)
def test_breaker_policy_first_illegal_value_raises(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        BreakerPolicy(**options)


@pytest.mark.parametrize("policy", [RetryPolicy(), BreakerPolicy()], ids=lambda policy: type(policy).__name__)
def test_policy_is_frozen_and_hashable(policy: Any) -> None:
    assert hash(policy) == hash(dataclasses.replace(policy))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(policy, dataclasses.fields(policy)[0].name, 4)

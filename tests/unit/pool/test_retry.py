"""Retry, replay and hedging decisions, as tables and as conversations."""

from __future__ import annotations

import random
from typing import Any

import pytest

from deuterium import errors
from deuterium._pool.retry import Action, Outcome, RetryState, retry_after_s
from deuterium._pool.retry_budget import RetryBudget
from deuterium.config import RetryPolicy

WALL = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT
UNPROCESSED = errors.StreamReset("refused", code=7, request_processed=False)
UNKNOWN = errors.ReadError("cut off")
PROCESSED = errors.StreamReset("cancelled", code=8, request_processed=True)


def state(method: str = "GET", dice: float = 1.0, budget: RetryBudget | None = None, **options: Any) -> RetryState:
    policy = RetryPolicy(**options)
    return RetryState(policy, budget or RetryBudget(1.0, 100.0, 10.0), lambda: dice, method, 0.0)


def ended(error: errors.RequestError, *, replayable: bool = True) -> Outcome:
    return Outcome(error=error, body_replayable=replayable)


def verbs(state: RetryState, outcome: Outcome, most: int = 100) -> list[str]:
    """What is decided when every attempt ends the same way."""
    taken: list[str] = []
    for _ in range(most):
        taken.append(state.next_action(0.0, outcome).verb)
        if taken[-1] in ("give_up", "wait"):
            break
    return taken


@pytest.mark.rfc("9113", "8.7")
@pytest.mark.parametrize(
    ("method", "error", "replayable", "first"),
    [
        ("GET", UNPROCESSED, True, "replay"),
        ("POST", UNPROCESSED, True, "replay"),
        ("PATCH", errors.GoAway("", request_processed=False), True, "replay"),
        ("CONNECT", UNPROCESSED, True, "replay"),
        ("GET", UNPROCESSED, False, "give_up"),
        ("POST", UNPROCESSED, False, "give_up"),
        ("GET", UNKNOWN, True, "retry"),
        ("HEAD", UNKNOWN, True, "retry"),
        ("OPTIONS", UNKNOWN, True, "retry"),
        ("TRACE", UNKNOWN, True, "retry"),
        ("PUT", UNKNOWN, True, "retry"),
        ("DELETE", UNKNOWN, True, "retry"),
        ("PUT", UNKNOWN, False, "give_up"),
        ("POST", UNKNOWN, True, "give_up"),
        ("PATCH", UNKNOWN, True, "give_up"),
        ("CONNECT", UNKNOWN, True, "give_up"),
        ("BREW", UNKNOWN, True, "give_up"),
        ("GET", PROCESSED, True, "retry"),
        ("POST", PROCESSED, True, "give_up"),
        ("GET", errors.CircuitOpen("", request_processed=False), True, "give_up"),
        ("GET", errors.LocalProtocolError(""), True, "give_up"),
        ("GET", errors.UnsupportedProtocol(""), True, "give_up"),
        ("GET", errors.PoolTimeout("", request_processed=False), True, "give_up"),
        ("GET", errors.TotalTimeout(""), True, "give_up"),
        ("GET", errors.DecodingError(""), True, "give_up"),
        ("GET", errors.TooManyRedirects(""), True, "give_up"),
        ("GET", errors.ReadError("", initiator="user"), True, "give_up"),
        ("GET", errors.ReadTimeout(""), True, "give_up"),
        ("GET", errors.ConnectTimeout("", request_processed=False), True, "give_up"),
        ("POST", errors.ConnectError("", request_processed=False), True, "replay"),
        ("GET", errors.ConnectError("", request_processed=False, initiator="library"), True, "give_up"),
        ("POST", errors.ProxyError("", request_processed=False), True, "replay"),
    ],
)
def test_retry_first_decision(method: str, error: errors.RequestError, replayable: bool, first: str) -> None:
    assert state(method).next_action(0.0, ended(error, replayable=replayable)).verb == first


@pytest.mark.parametrize(("attempts", "retries"), [(1, 0), (2, 1), (5, 4)])
def test_retry_attempts_count_the_first_one(attempts: int, retries: int) -> None:
    assert verbs(state(attempts=attempts), ended(UNKNOWN)) == ["retry"] * retries + ["give_up"]


@pytest.mark.parametrize("replays", [0, 1, 20])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_replay_of_a_server_that_refuses_for_ever_ends(method: str, replays: int) -> None:
    assert verbs(state(method, replays=replays), ended(UNPROCESSED)) == ["replay"] * replays + ["give_up"]


def test_replay_is_at_once_first_and_backs_off_after_that() -> None:
    subject = state()
    delays = [subject.next_action(0.0, ended(UNPROCESSED)).delay_s for _ in range(20)]
    assert delays[:8] == pytest.approx([0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5])
    assert set(delays[7:]) == {0.5}


def test_replay_goes_to_another_connection_and_spends_no_budget() -> None:
    budget = RetryBudget(0.0, 0.0, 10.0)
    action = state("POST", budget=budget).next_action(0.0, ended(UNPROCESSED))
    assert action == Action("replay", "the peer did not process it", 0.0, elsewhere=True)
    assert (budget.taken, budget.refused) == (0, 0)


def test_replay_does_not_use_up_attempts() -> None:
    subject = state(attempts=2)
    assert [subject.next_action(0.0, ended(error)).verb for error in (UNPROCESSED, UNPROCESSED, UNKNOWN, UNKNOWN)] == [
        "replay",
        "replay",
        "retry",
        "give_up",
    ]


def test_post_refused_first_and_cut_off_later_is_not_sent_again() -> None:
    subject = state("POST")
    assert subject.next_action(0.0, ended(UNPROCESSED)).verb == "replay"
    assert subject.next_action(0.0, ended(UNKNOWN)).verb == "give_up"


def test_connect_failures_are_bounded_by_attempts_and_back_off() -> None:
    subject = state("POST", attempts=3)
    outcome = ended(errors.ConnectError("", request_processed=False))
    actions = [subject.next_action(0.0, outcome) for _ in range(3)]
    assert [action.verb for action in actions] == ["replay", "replay", "give_up"]
    assert [action.delay_s for action in actions] == pytest.approx([0.1, 0.2, 0.0])


@pytest.mark.parametrize(
    ("error", "verb"),
    [
        (errors.ReadTimeout(""), "retry"),
        (errors.ConnectTimeout("", request_processed=False), "replay"),
        (errors.TotalTimeout(""), "give_up"),
        (errors.PoolTimeout(""), "give_up"),
    ],
)
def test_retry_of_timeouts_when_the_policy_allows(error: errors.RequestError, verb: str) -> None:
    assert state(timeouts=True).next_action(0.0, ended(error)).verb == verb
    assert len(verbs(state(timeouts=True), ended(error))) <= 3


def test_retry_full_jitter_spans_nothing_to_the_whole_step() -> None:
    options: dict[str, Any] = {"attempts": 5, "backoff_s": 1.0, "max_backoff_s": 3.0}
    for dice, expected in ((1.0, [1, 2, 3, 3]), (0.5, [0.5, 1, 1.5, 1.5]), (0.0, [0, 0, 0, 0])):
        subject = state(dice=dice, **options)
        delays = [subject.next_action(0.0, ended(UNKNOWN)).delay_s for _ in range(4)]
        assert delays == pytest.approx(expected)


def test_retry_with_a_seeded_source_repeats() -> None:
    def delays(seed: int) -> list[float]:
        subject = RetryState(
            RetryPolicy(attempts=5), RetryBudget(1.0, 100.0, 10.0), random.Random(seed).random, "GET", 0.0
        )
        return [subject.next_action(0.0, ended(UNKNOWN)).delay_s for _ in range(4)]

    assert delays(1) == delays(1) != delays(2)


def test_retry_without_budget_gives_up() -> None:
    budget = RetryBudget(0.0, 0.1, 10.0)
    assert state(budget=budget).next_action(0.0, ended(UNKNOWN)).verb == "retry"
    action = state(budget=budget).next_action(0.0, ended(UNKNOWN))
    assert (action.verb, action.reason) == ("give_up", "the retry budget is spent")


@pytest.mark.parametrize(
    ("method", "status", "verb"),
    [
        ("GET", 200, "give_up"),
        ("GET", 503, "retry"),
        ("GET", 500, "give_up"),
        ("POST", 503, "give_up"),
        ("POST", 429, "give_up"),
        ("POST", 421, "replay"),
        ("GET", 421, "replay"),
    ],
)
def test_retry_by_status(method: str, status: int, verb: str) -> None:
    assert state(method, statuses={429, 503}).next_action(0.0, Outcome(status=status)).verb == verb


def test_retry_no_status_by_default() -> None:
    assert all(state().next_action(0.0, Outcome(status=status)).verb == "give_up" for status in (429, 502, 503, 504))


@pytest.mark.rfc("9110", "15.5.20")
def test_misdirected_is_answered_once_elsewhere() -> None:
    subject = state("POST")
    action = subject.next_action(0.0, Outcome(status=421))
    assert (action.verb, action.delay_s, action.elsewhere) == ("replay", 0.0, True)
    assert subject.next_action(0.0, Outcome(status=421)).verb == "give_up"
    assert state("POST").next_action(0.0, Outcome(status=421, body_replayable=False)).verb == "give_up"


@pytest.mark.rfc("9110", "10.2.3")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7\t", 7.0),
        ("9999999999", 9999999999.0),
        ("10000000000", float("inf")),
        ("9" * 5000, float("inf")),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
        ("Sun Nov  6 08:50:37 1994", 60.0),
        ("Sun, 06 Nov 1994 08:48:37 GMT", 0.0),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Sun, 99 Nov 1994 08:48:37 GMT", None),
        ("Sun, 06 Nov 99999999999 08:48:37 GMT", None),
    ],
)
def test_retry_after_value(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, WALL) == seconds


@pytest.mark.parametrize(
    ("retry_after", "verb", "delay_s"),
    [
        ("60", "retry", 60.1),
        ("61", "give_up", 0.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", "retry", 60.1),
        ("Sun, 06 Nov 1994 08:50:38 GMT", "give_up", 0.0),
        ("soon", "retry", 0.1),
    ],
)
def test_retry_honours_retry_after_up_to_its_cap(retry_after: str, verb: str, delay_s: float) -> None:
    subject = state(statuses={503}, max_retry_after_s=60.0)
    action = subject.next_action(0.0, Outcome(status=503, retry_after=retry_after, wall_now=WALL))
    assert action.verb == verb
    assert action.delay_s == pytest.approx(delay_s)


def test_hedge_is_due_after_each_delay_until_all_are_out() -> None:
    subject = state(hedges=2, hedge_delay_s=0.5)
    assert subject.hedge_at() == 0.5
    assert not subject.take_hedge(0.49)
    assert subject.take_hedge(0.5)
    assert subject.hedge_at() == 1.0
    assert subject.take_hedge(1.0)
    assert subject.hedge_at() is None
    assert not subject.take_hedge(9.0)
    assert subject.in_flight == 3


@pytest.mark.parametrize(("method", "hedges"), [("POST", 2), ("GET", 0)])
def test_hedge_never_of_a_post_nor_unless_asked_for(method: str, hedges: int) -> None:
    assert state(method, hedges=hedges).hedge_at() is None


def test_hedge_and_retries_together_stay_within_five() -> None:
    subject = state(attempts=5, hedges=4, hedge_delay_s=0.0)
    for _ in range(3):
        assert subject.next_action(0.0, ended(UNKNOWN)).verb == "retry"
    assert subject.take_hedge(10.0)
    assert subject.hedge_at() is None
    assert subject.sent == 5


def test_hedge_without_budget_is_not_sent() -> None:
    assert not state(hedges=1, hedge_delay_s=0.0, budget=RetryBudget(0.0, 0.0, 10.0)).take_hedge(5.0)


def test_hedge_failure_waits_for_the_others_and_sends_the_next_at_once() -> None:
    subject = state(hedges=2, hedge_delay_s=1.0)
    assert subject.take_hedge(1.0)
    assert subject.next_action(1.2, ended(UNKNOWN)).verb == "wait"
    assert subject.hedge_at() == pytest.approx(1.2)
    assert subject.take_hedge(1.2)
    assert subject.next_action(1.3, ended(UNKNOWN)).verb == "wait"
    assert subject.next_action(1.4, ended(UNKNOWN)).verb == "give_up"


def test_hedge_pushed_back_waits_as_long_as_asked() -> None:
    subject = state(hedges=2, hedge_delay_s=1.0, statuses={503})
    assert subject.take_hedge(1.0)
    assert subject.next_action(1.2, Outcome(status=503, retry_after="7")).verb == "wait"
    assert subject.hedge_at() == pytest.approx(8.2)


def test_hedge_first_answer_wins() -> None:
    subject = state(hedges=1, hedge_delay_s=1.0, statuses={503})
    assert subject.take_hedge(1.0)
    assert subject.next_action(1.2, Outcome(status=404)).verb == "give_up"


REQUIRED = errors.StreamReset("reset", scope="stream", code=13, initiator="remote")


@pytest.mark.rfc("9113", "7")
@pytest.mark.parametrize(
    ("method", "options", "replayable", "told", "taken"),
    [
        ("GET", {}, True, True, ["replay", "retry", "retry", "give_up"]),
        ("GET", {"attempts": 1}, True, True, ["replay", "give_up"]),
        ("POST", {}, True, True, ["replay", "give_up"]),
        ("POST", {}, True, False, ["give_up"]),
        ("POST", {}, False, True, ["give_up"]),
        ("POST", {"replays": 0}, True, True, ["give_up"]),
        ("GET", {"replays": 0, "attempts": 2}, True, True, ["retry", "give_up"]),
    ],
)
def test_http_1_1_required_is_obeyed_once_whatever_the_method(
    method: str, options: dict[str, Any], replayable: bool, told: bool, taken: list[str]
) -> None:
    outcome = Outcome(error=REQUIRED, body_replayable=replayable, http1_required=told)
    assert verbs(state(method, **options), outcome) == taken


def test_http_1_1_required_takes_nothing_of_the_budget_and_no_time() -> None:
    budget = RetryBudget(0.0, 0.0, 10.0)
    action = state("POST", budget=budget).next_action(0.0, Outcome(error=REQUIRED, http1_required=True))
    assert (action.verb, action.delay_s, action.elsewhere) == ("replay", 0.0, True)

"""The grace of exchanges that were due while this side did not listen."""

from __future__ import annotations

import pytest

from deuterium._net.lenience import Lenience

HELD_UP_S = 0.01
MAX_GRACE_S = 1.0


@pytest.mark.parametrize(
    ("late_s", "allowed", "grace_s"),
    [
        (0.0, False, 0.0),
        (HELD_UP_S, False, 0.0),
        (HELD_UP_S + 2**-20, True, HELD_UP_S + 2**-20),
        (0.5, True, 0.5),
        (MAX_GRACE_S, True, MAX_GRACE_S),
        (3600.0, True, MAX_GRACE_S),
    ],
)
def test_grace_is_as_long_as_the_look_was_late(late_s: float, allowed: bool, grace_s: float) -> None:
    lenience = Lenience()
    assert lenience.allows(0.0, late_s) is allowed
    assert lenience.until == (late_s + grace_s if allowed else 0.0)
    assert lenience.covered == (late_s if allowed else 0.0)


def test_who_came_due_during_a_grace_is_late_only_since_its_end() -> None:
    lenience = Lenience()
    assert lenience.allows(10.0, 10.5)
    assert (lenience.covered, lenience.until) == (10.5, 11.0)
    assert not lenience.allows(10.75, 11.0)
    assert not lenience.allows(10.75, 11.0 + HELD_UP_S / 2)
    assert lenience.allows(10.75, 11.25)
    assert (lenience.covered, lenience.until) == (11.25, 11.5)

"""What a peer does to each request and each connection: drawn from a seed, legal or not, but never a wrong octet."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

Act = Literal["answer", "refuse", "reset", "cut", "part", "stall", "leave", "leave_gently", "early", "unavailable"]


@dataclass
class Temper:
    """How a peer is: chances between 0 and 1, and seconds."""

    refuse: float = 0.0  # REFUSED_STREAM, before anything was done (HTTP/1.1: closed unread)
    reset: float = 0.0  # carried out, then RST_STREAM in place of the response (HTTP/1.1: closed)
    part: float = 0.0  # half of the response, then RST_STREAM (HTTP/1.1: closed)
    cut: float = 0.0  # half of the response, then the connection is dropped
    stall: float = 0.0  # carried out and never answered
    leave: float = 0.0  # GOAWAY: requests after this one are not carried out (HTTP/1.1: the connection closes after it)
    leave_gently: float = 0.0  # GOAWAY that announces itself first (RFC 9113 section 6.8)
    early: float = 0.0  # answered before the request's content is complete
    unavailable: float = 0.0  # 503
    noise: float = 0.0  # a frame that means nothing here, before each frame that does
    longest_delay_s: float = 0.05
    most_streams: int = 100
    idle_s: float = 1000.0  # idle connections are closed after this long
    longest_frame: int = 16384
    split_writes: bool = False  # what is said leaves in pieces of any size

    def acts(self) -> list[tuple[Act, float]]:
        return [
            ("refuse", self.refuse),
            ("reset", self.reset),
            ("part", self.part),
            ("cut", self.cut),
            ("stall", self.stall),
            ("leave", self.leave),
            ("leave_gently", self.leave_gently),
            ("early", self.early),
            ("unavailable", self.unavailable),
        ]


@dataclass
class Script:
    """Every decision of the peers of one run."""

    chance: Random
    temper: Temper = field(default_factory=Temper)

    def act(self) -> Act:
        """What happens to the next request."""
        draw = self.chance.random()
        for act, share in self.temper.acts():
            draw -= share
            if draw < 0:
                return act
        return "answer"

    def delay_s(self) -> float:
        return self.chance.choice((0.0, self.chance.uniform(0, self.temper.longest_delay_s)))

    def noisy(self) -> bool:
        return self.chance.random() < self.temper.noise

    def frame_octets(self) -> int:
        """How much content the next frame or chunk carries."""
        longest = self.temper.longest_frame
        return self.chance.choice((self.chance.randint(1, min(100, longest)), self.chance.randint(1, longest), longest))

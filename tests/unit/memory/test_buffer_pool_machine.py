"""PooledBuffer against a model: back in its pool if and only if the count is zero while no view is left."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deuterium._memory.buffer_pool import SIZE_CLASSES, BufferPool, BufferReleased, PooledBuffer

BOUND = 3
MARK = 8


@dataclass
class Holder:
    """One handle as the model sees it: its count, its mark in the memory, and the views lent from it."""

    buffer: PooledBuffer
    memory: bytearray
    mark: bytes
    count: int = 1
    views: list[memoryview] = field(default_factory=list)


class Lending(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.pool = BufferPool(bounds=(BOUND, 0, 0, 0), poison=True)
        self.live: list[Holder] = []
        self.dead: list[Holder] = []
        self.shelf: list[bytearray] = []
        self.lingering: list[Holder] = []
        self.created = self.dropped = self.dropped_in_use = self.serial = 0
        self.spare = 0

    def pick(self, data: st.DataObject, among: list[Holder]) -> Holder:
        return among[data.draw(st.integers(0, len(among) - 1))]

    @rule()
    def acquire(self) -> None:
        buffer = self.pool.acquire(100)
        self.spare = min(self.spare, max(0, len(self.shelf) + len(self.lingering) - 1))
        if self.shelf:
            assert buffer.data is self.shelf.pop()
        elif self.lingering and not self.lingering[0].views:
            assert buffer.data is self.lingering.pop(0).memory
        else:
            if self.lingering:
                self.lingering.append(self.lingering.pop(0))
            self.created += 1
        self.serial += 1
        mark = self.serial.to_bytes(MARK, "big")
        buffer.data[:MARK] = mark
        self.live.append(Holder(buffer, buffer.data, mark))

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def retain(self, data: st.DataObject) -> None:
        holder = self.pick(data, self.live)
        holder.buffer.retain()
        holder.count += 1

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        holder = self.pick(data, self.live)
        holder.buffer.release()
        holder.count -= 1
        if holder.count:
            return
        self.live.remove(holder)
        self.dead.append(holder)
        full = len(self.shelf) + len(self.lingering) == BOUND
        if holder.views:
            if full:
                self.dropped_in_use += 1
            else:
                self.lingering.append(holder)
        elif len(self.shelf) < BOUND:
            if full:
                self.lingering.pop(0)
                self.dropped_in_use += 1
            self.shelf.append(holder.memory)
        else:
            self.dropped += 1

    @rule()
    def trim(self) -> None:
        self.pool.trim()
        for _ in range((self.spare + 1) // 2):
            if self.lingering:
                self.lingering.pop(0)
                self.dropped_in_use += 1
            else:
                self.shelf.pop()
                self.dropped += 1
        self.spare = len(self.shelf) + len(self.lingering)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), whole=st.booleans())
    def lend(self, data: st.DataObject, whole: bool) -> None:
        holder = self.pick(data, self.live)
        holder.views.append(holder.buffer.lend(0, MARK if whole else 1))

    @precondition(lambda self: any(holder.views for holder in self.live + self.dead))
    @rule(data=st.data())
    def let_a_view_go(self, data: st.DataObject) -> None:
        holder = self.pick(data, [holder for holder in self.live + self.dead if holder.views])
        holder.views.pop().release()

    @precondition(lambda self: self.dead)
    @rule(data=st.data(), verb=st.sampled_from(["retain", "release", "lend", "view"]))
    def use_a_dead_handle(self, data: st.DataObject, verb: str) -> None:
        buffer = self.pick(data, self.dead).buffer
        with pytest.raises(BufferReleased):
            buffer.lend(0, 1) if verb == "lend" else getattr(buffer, verb)()

    @invariant()
    def counts_agree(self) -> None:
        for holder in self.live:
            assert holder.buffer.references == holder.count
        for holder in self.dead:
            assert holder.buffer.references == 0

    @invariant()
    def memory_has_one_holder(self) -> None:
        seen = [id(holder.memory) for holder in self.live + self.lingering]
        seen += [id(memory) for memory in self.shelf]
        assert len(seen) == len(set(seen))
        for holder in self.live:
            assert holder.buffer.data is holder.memory
            assert holder.memory[:MARK] == holder.mark

    @invariant()
    def views_keep_their_octets(self) -> None:
        for holder in self.live + self.dead:
            for view in holder.views:
                assert bytes(view) == holder.mark[: len(view)]

    @invariant()
    def books_balance(self) -> None:
        stats = self.pool.stats()
        assert stats.created == self.created
        assert stats.outstanding == len(self.live)
        assert stats.free == len(self.shelf)
        assert stats.lingering == len(self.lingering)
        assert stats.dropped == self.dropped
        assert stats.dropped_in_use == self.dropped_in_use
        kept = stats.outstanding + stats.free + stats.lingering
        assert stats.created == kept + stats.dropped + stats.dropped_in_use
        assert stats.bytes_held == kept * SIZE_CLASSES[0]


TestLending = Lending.TestCase
TestLending.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)

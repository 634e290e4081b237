"""The encoder's dynamic table (RFC 7541 sections 2.3.2 and 4), searched by content instead of by index."""

from __future__ import annotations

from collections import deque

from deuterium._hpack.static_table import FIRST_DYNAMIC_INDEX

LINE_OVERHEAD = 32  # RFC 7541 section 4.1


class SearchTable:
    """Finds the index of a field, or of its name.

    ``generation`` changes whenever an index may have changed: what was encoded with an older one is void.
    Entries are numbered in the order of their insertion, so that numbers stay while indexes move.
    """

    __slots__ = ("_entries", "_inserted", "_names", "_pairs", "_used_again", "generation", "max_size", "size")

    def __init__(self, max_size: int) -> None:
        self._entries: deque[tuple[str, str]] = deque()
        self._pairs: dict[tuple[str, str], int] = {}
        self._names: dict[str, int] = {}
        self._used_again: set[str] = set()
        self._inserted = 0
        self.generation = 0
        self.max_size = max_size
        self.size = 0

    def find(self, pair: tuple[str, str]) -> int:
        """The index of this name and value, 0 if there is none."""
        number = self._pairs.get(pair)
        if number is None:
            return 0
        self._used_again.add(pair[0])
        return FIRST_DYNAMIC_INDEX + self._inserted - number

    def find_name(self, name: str) -> int:
        """The index of the newest entry with this name, 0 if there is none."""
        number = self._names.get(name)
        return 0 if number is None else FIRST_DYNAMIC_INDEX + self._inserted - number

    def repeats(self, name: str) -> bool:
        """False when the last value inserted under this name was never seen again: ids, tokens, counters."""
        return name not in self._names or name in self._used_again

    def insert(self, pair: tuple[str, str]) -> None:
        """Add the newest entry; one larger than the table empties it (RFC 7541 section 4.4)."""
        size = len(pair[0]) + len(pair[1]) + LINE_OVERHEAD
        self.generation += 1
        self._evict(self.max_size - size)
        if size > self.max_size:
            return
        self._inserted += 1
        self._entries.append(pair)
        self._pairs[pair] = self._inserted
        self._names[pair[0]] = self._inserted
        self._used_again.discard(pair[0])
        self.size += size

    def resize(self, max_size: int) -> None:
        """Change the maximum size (RFC 7541 section 4.3)."""
        self.generation += 1
        self.max_size = max_size
        self._evict(max_size)

    def _evict(self, size: int) -> None:
        """Drop the oldest entries until ``size`` octets are left at most, or none."""
        while self._entries and self.size > size:
            oldest = self._inserted - len(self._entries) + 1
            pair = self._entries.popleft()
            name = pair[0]
            self.size -= len(name) + len(pair[1]) + LINE_OVERHEAD
            if self._pairs[pair] == oldest:
                del self._pairs[pair]
            if self._names[name] == oldest:
                del self._names[name]
                self._used_again.discard(name)

"""Headers: the field lines of one message, looked up by name whatever its letter case."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any, Self, TypeVar, Union, overload

from deuterium._http import field as fields
from deuterium.errors import LocalProtocolError

T = TypeVar("T")

Text = str | bytes
HeaderTypes = Union["Headers", Mapping[str, str], Mapping[bytes, bytes], Iterable[tuple[Text, Text]], None]

SEPARATOR = ", "  # RFC 9110 section 5.3
HIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
HIDDEN_VALUE = "[secure]"


class FieldLines:
    """What :class:`Headers` does, in a class that compiles.

    ``pairs``: (lower-case name, value), in order. ``borrowed``: the list belongs to somebody else, so it is copied
    before the first change. ``joined``: one value for each name, made when the first one is asked for. ``spelling``:
    a name as its caller wrote it, where that is not lower case; HTTP/1.1 sends it so.
    """

    __slots__ = ("borrowed", "frozen", "joined", "pairs", "spelling")

    pairs: list[tuple[str, str]]
    borrowed: bool
    frozen: tuple[tuple[str, str], ...] | None
    joined: dict[str, str] | None
    spelling: dict[str, str] | None

    def __init__(self, headers: Any = None) -> None:
        self._adopt([])
        self.borrowed = False
        if headers is not None:
            self._extend(headers)

    @classmethod
    def from_pairs(cls, pairs: list[tuple[str, str]]) -> Self:
        """Headers over ``pairs`` as an engine delivers them: names lower-case, everything validated.

        The list is kept, not copied, and never changed here.
        """
        headers = cls.__new__(cls)
        headers._adopt(pairs)
        return headers

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The lines as octets (latin-1), names as the caller spelled them."""
        spelling = self.spelling or {}
        return [(spelling.get(name, name).encode("latin-1"), value.encode("latin-1")) for name, value in self.pairs]

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Every line as (lower-case name, value). The same tuple object is returned until the headers change."""
        if self.frozen is None:
            self.frozen = tuple(self.pairs)
        return self.frozen

    def multi_items(self) -> list[tuple[str, str]]:
        """Every line as (lower-case name, value), in a list of the caller's own."""
        return list(self.pairs)

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        """The values of each line named ``key``; ``split_commas`` takes comma-separated lists apart.

        >>> Headers([("accept", "a, b"), ("accept", "c")]).get_list("Accept", split_commas=True)
        ['a', 'b', 'c']
        """
        wanted = key.lower()
        values = [value for name, value in self.pairs if name == wanted]
        if not split_commas:
            return values
        return [item for value in values for part in value.split(",") if (item := part.strip())]

    def keys(self) -> KeysView[str]:
        """Each name once, in lower case."""
        return self._index().keys()

    def values(self) -> ValuesView[str]:
        """One value for each name, repeated lines joined."""
        return self._index().values()

    def items(self) -> ItemsView[str, str]:
        """(lower-case name, value), repeated lines joined."""
        return self._index().items()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, repeated lines joined by ``", "``; ``default`` if there is none."""
        value = self._find(key)
        return default if value is None else value

    def update(self, headers: Any = (), /, **more: str) -> None:
        """Replace each name of ``headers`` by its lines there."""
        added = FieldLines(headers)
        if more:
            added._extend(more)
        self._replace(added)

    def copy(self) -> Self:
        """Headers of their own with the same lines."""
        headers = self.__class__.__new__(self.__class__)
        headers._adopt(list(self.pairs))
        headers._spell(self.spelling)
        return headers

    def __copy__(self) -> Self:
        return self.copy()

    def __getitem__(self, key: str) -> str:
        value = self._find(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        """One line in place of those of that name, where the first of them stood; or a line at the end."""
        name, pair = self._checked(key, value)
        if self._find(name) is None:
            self._own().append(pair)
            return
        pairs: list[tuple[str, str]] = []
        placed = False
        for line in self.pairs:
            if line[0] != name:
                pairs.append(line)
            elif not placed:
                pairs.append(pair)
                placed = True
        self._adopt_changed(pairs)

    def __delitem__(self, key: str) -> None:
        if self._find(key) is None:
            raise KeyError(key)
        name = key.lower()
        self._adopt_changed([line for line in self.pairs if line[0] != name])

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._index())

    def __len__(self) -> int:
        return len(self._index())

    def __eq__(self, other: object) -> bool:
        """The same lines, whatever their order."""
        if not isinstance(other, FieldLines | Mapping | list | tuple):
            return NotImplemented
        try:
            lines = other.multi_items() if isinstance(other, FieldLines) else FieldLines(other).multi_items()
        except (TypeError, ValueError, LocalProtocolError):
            return False
        return sorted(self.pairs) == sorted(lines)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [(name, HIDDEN_VALUE if name in HIDDEN else value) for name, value in self.pairs]
        return f"Headers({dict(shown) if len(self) == len(shown) else shown!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.__class__, self.pairs, self.spelling))

    def _adopt(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self.borrowed = True
        self.frozen = None
        self.joined = None
        self.spelling = None

    def _adopt_changed(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self.borrowed = False
        self.frozen = None
        self.joined = None

    def _own(self) -> list[tuple[str, str]]:
        """The list of lines, about to be changed."""
        if self.borrowed:
            self.pairs = list(self.pairs)
            self.borrowed = False
        self.frozen = None
        self.joined = None
        return self.pairs

    def _index(self) -> dict[str, str]:
        joined = self.joined
        if joined is None:
            joined = {}
            repeated: dict[str, list[str]] | None = None
            for name, value in self.pairs:
                if name not in joined:
                    joined[name] = value
                else:
                    if repeated is None:
                        repeated = {}
                    repeated.setdefault(name, [joined[name]]).append(value)
            if repeated is not None:
                for name, values in repeated.items():
                    joined[name] = SEPARATOR.join(values)
            self.joined = joined
        return joined

    def _find(self, key: str) -> str | None:
        """The value of ``key``, in whatever letter case."""
        index = self._index()
        value = index.get(key)
        if value is None:
            value = index.get(key.lower())
        return value

    def _checked(self, key: Text, value: Text) -> tuple[str, tuple[str, str]]:
        """The lower-case name and the line, after a check of both; the spelling is noted."""
        spelled = _text(key, "name")
        fields.check_name(spelled)
        text = _text(value, "value")
        fields.check_value(text)
        name = spelled.lower()
        if name != spelled:
            if self.spelling is None:
                self.spelling = {}
            self.spelling[name] = spelled
        elif self.spelling is not None:
            self.spelling.pop(name, None)
        return name, (name, text)

    def _extend(self, headers: Any) -> None:
        """Append every line of ``headers``."""
        pairs = self._own()
        if isinstance(headers, FieldLines):
            pairs.extend(headers.multi_items())
            self._spell(headers.spelling)
            return
        lines = headers.items() if isinstance(headers, Mapping) else headers
        for key, value in lines:
            pairs.append(self._checked(key, value)[1])

    def _spell(self, spelling: dict[str, str] | None) -> None:
        if spelling:
            self.spelling = {**self.spelling, **spelling} if self.spelling else dict(spelling)

    def _replace(self, added: FieldLines) -> None:
        """Drop the lines whose names are in ``added``, then append those of ``added``."""
        if not added.pairs:
            return
        names = added._index()
        pairs = [line for line in self.pairs if line[0] not in names]
        pairs.extend(added.pairs)
        if self.spelling is not None:
            self.spelling = {name: spelled for name, spelled in self.spelling.items() if name not in names}
        self._spell(added.spelling)
        self._adopt_changed(pairs)


class Headers(FieldLines, MutableMapping[str, str]):
    """A mapping from field names to values that keeps every line, its order and its spelling.

    From nothing, a mapping, pairs or other Headers. Lookups ignore letter case; ``h["x"]`` joins repeated lines with
    ``", "``; ``get_list`` and ``multi_items`` keep them apart; ``len`` counts names. Names and values given by the
    caller are checked (RFC 9110 section 5): LocalProtocolError if one is illegal.

    >>> headers = Headers({"Accept": "text/html"})
    >>> headers["accept"]
    'text/html'
    >>> Headers({"authorization": "Basic YTpi"})
    Headers({'authorization': '[secure]'})
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, headers: HeaderTypes = None) -> None: ...
        @overload  # type: ignore[override]
        def get(self, key: str) -> str | None: ...
        @overload
        def get(self, key: str, default: str | T) -> str | T: ...
        def get(self, key: str, default: Any = None) -> Any: ...


def _rebuild(cls: type[FieldLines], pairs: list[tuple[str, str]], spelling: dict[str, str] | None) -> FieldLines:
    """Headers out of a pickle."""
    headers = cls.from_pairs(pairs)
    headers._spell(spelling)
    return headers


def _text(value: Text, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise TypeError(f"a field {what} must be str or bytes, not {type(value).__name__}")

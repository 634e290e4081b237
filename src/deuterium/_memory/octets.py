"""Copying octets out of a ``bytearray``, once: as ``bytes`` or as text.

``bytes(data[start:end])`` copies twice: first into a second ``bytearray``. Compiled, ``take`` copies from the
memory itself: one allocation and one ``memcpy``.
"""

from __future__ import annotations

COMPILED = not __file__.endswith((".py", ".pyc"))
TWICE_BYTES = 2048  # interpreted, a view costs more than copying this much twice: 0.9 us for 0.3


def take(data: bytearray, start: int, end: int) -> bytes:
    """Octets ``start`` up to ``end`` of ``data``, as ``bytes``.

    Raises IndexError unless ``0 <= start <= end <= len(data)``.

    >>> take(bytearray(b"deuterium"), 0, 4)
    b'deut'
    """
    if start < 0 or start > end or end > len(data):
        raise IndexError("octets outside the buffer")
    if COMPILED:
        octets = data
        return octets[start:end]  # type: ignore[return-value]  # compiled: a pointer, whose slice is bytes
    if end - start <= TWICE_BYTES:
        return bytes(data[start:end])
    with memoryview(data) as view:
        return bytes(view[start:end])


def text(data: bytearray, start: int, end: int, ascii_only: bool) -> str:
    """Octets ``start`` up to ``end`` of ``data`` as latin-1 characters; ``ascii_only``: none is above 127.

    Compiled, ``data`` is a pointer and nothing is looked at: the caller knows that the octets exist and what they are.
    """
    if COMPILED and end - start > 1:  # CPython has the shorter ones ready
        return text_of(data + start, end - start, ascii_only)  # type: ignore[name-defined,no-any-return,operator]  # noqa: F821
    return data[start:end].decode("latin-1")


def put(data: bytearray, at: int, source: bytes, start: int, end: int) -> None:
    """Copy ``source[start:end]`` over ``data`` from ``at`` on; the length of ``data`` stays.

    Raises IndexError unless both ranges lie inside.

    >>> memory = bytearray(4)
    >>> put(memory, 1, b"deuterium", 0, 3)
    >>> memory
    bytearray(b'\\x00deu')
    """
    size = end - start
    if start < 0 or size < 0 or end > len(source) or at < 0 or at + size > len(data):
        raise IndexError("octets outside the buffer")
    if COMPILED:
        target = data
        origin = source
        copy_octets(target + at, origin + start, size)  # type: ignore[name-defined,operator]  # noqa: F821
    elif size == len(source):
        data[at : at + size] = source
    else:
        data[at : at + size] = memoryview(source)[start:end]


def move_down(data: bytearray, at: int, start: int, end: int) -> None:
    """Move octets ``start`` up to ``end`` of ``data`` to ``at``, below ``start``; the ranges may overlap.

    Raises IndexError unless both ranges lie inside.

    >>> memory = bytearray(b"deuterium")
    >>> move_down(memory, 1, 3, 6)
    >>> memory
    bytearray(b'dtererium')
    """
    if at < 0 or at > start or start > end or end > len(data):
        raise IndexError("octets outside the buffer")
    if COMPILED:
        move_octets(data, at, start, end)  # type: ignore[name-defined]  # noqa: F821
    else:
        data[at : at + end - start] = data[start:end]


def window(data: bytearray, start: int, end: int, writable: bool) -> memoryview:
    """A view of octets ``start`` up to ``end`` of ``data``; compiled, one object instead of three.

    Raises IndexError unless ``0 <= start <= end <= len(data)``.

    >>> bytes(window(bytearray(b"deuterium"), 4, 7, False))
    b'eri'
    """
    if start < 0 or start > end or end > len(data):
        raise IndexError("octets outside the buffer")
    if COMPILED:
        return window_of(data, start, end, writable)  # type: ignore[name-defined,no-any-return]  # noqa: F821
    view = memoryview(data)[start:end]
    return view if writable else view.toreadonly()

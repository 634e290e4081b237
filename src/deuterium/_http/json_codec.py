"""JSON by whichever library the caller prefers: values, and values of a type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class JsonCodec:
    """``dumps(value)`` gives octets or text, ``loads(octets)`` a value, ``load_as(octets, type)`` one of a type.

    >>> JsonCodec().loads(JsonCodec().dumps({"mass": 2}))
    {'mass': 2}
    """

    __slots__ = ("dumps", "loads", "own_loads")

    def __init__(
        self,
        dumps: Callable[[Any], bytes | str] | None = None,
        loads: Callable[..., Any] | None = None,
    ) -> None:
        self.dumps: Callable[[Any], bytes | str] = dumps or _dumps
        self.loads: Callable[..., Any] = loads or json.loads
        self.own_loads: bool = loads is not None

    def load_as(self, content: bytes | str, wanted: Any) -> Any:
        """A value of the type ``wanted``: what msgspec takes for one, or a pydantic model.

        Raises what the library raises when the content is not that, and ImportError without the library.
        """
        validate = getattr(wanted, "model_validate_json", None)
        if validate is not None:
            return validate(content)
        try:
            import msgspec
        except ImportError as error:
            raise ImportError("json(type=...) needs msgspec: pip install 'deuterium[msgspec]'") from error
        if self.own_loads:
            return msgspec.convert(self.loads(content), wanted)
        return msgspec.json.decode(content, type=wanted)


def build_codec(
    library: Any, dumps: Callable[[Any], bytes | str] | None, loads: Callable[..., Any] | None
) -> JsonCodec:
    """The codec a caller asked for: a library (orjson, msgspec, anything with ``dumps`` and ``loads``), or functions.

    Raises TypeError for an object that is no such library.
    """
    if library is not None:
        library = getattr(library, "json", library)  # msgspec keeps it there
        pair = [getattr(library, name, None) for name in ("dumps", "loads")]
        if None in pair:
            pair = [getattr(library, name, None) for name in ("encode", "decode")]
        if None in pair:
            raise TypeError(f"json_codec must have dumps and loads, or encode and decode: {library!r}")
        dumps = dumps or (None if library is json else pair[0])
        loads = loads or (None if library is json else pair[1])
    return JsonCodec(dumps, loads)


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

"""Form fields as ``application/x-www-form-urlencoded``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

FORM_TYPE: Final = "application/x-www-form-urlencoded"

FieldValue = str | bytes | int | float | bool | None
# Each value is a FieldValue or an iterable of them; spelled out, a type checker rejects dict literals that mix both.
FormData = Mapping[str, Any] | Iterable[tuple[str, Any]]


def form_fields(data: FormData) -> list[tuple[str, str | bytes]]:
    """One (name, value) for each field; a list stands for several fields of one name.

    True and False become ``true`` and ``false``, None the empty string, as JavaScript and httpx have them.
    """
    fields: list[tuple[str, str | bytes]] = []
    for name, value in data.items() if isinstance(data, Mapping) else data:
        if not isinstance(name, str | bytes):
            raise TypeError(f"a form field's name must be str, not {type(name).__name__}")
        values = [value] if value is None or isinstance(value, str | bytes | int | float) else value
        if isinstance(values, Mapping) or not isinstance(values, Iterable):
            raise TypeError(f"a form field's value must be str, bytes, a number or a list, not {type(value).__name__}")
        key = name.decode() if isinstance(name, bytes) else name
        fields.extend((key, _text(item)) for item in values)
    return fields


def encode_form(data: FormData) -> bytes:
    """The content for ``data``, every character but letters, digits and ``-._~`` escaped.

    >>> encode_form({"name": "heavy water", "mass": [2, 20]})
    b'name=heavy+water&mass=2&mass=20'
    """
    return urlencode(form_fields(data)).encode("ascii")


def _text(value: FieldValue) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(f"a form field's value must be str, bytes, a number or None, not {type(value).__name__}")

"""One-shot requests: a client for the length of one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yarl import URL

from .download import Downloaded
from .response import Response
from .sync import Client

# Options of a request; all others are the client's.
_PER_REQUEST = ("params", "headers", "content", "data", "files", "json", "compress", "extensions")

_PER_DOWNLOAD = ("method", "resume", "fsync", "progress", "attempts")


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return options, {name: options.pop(name) for name in _PER_REQUEST if name in options}


def request(method: str, url: str | URL, **options: Any) -> Response:
    """Send one request with a client of its own; the options are those of ``Client`` and of ``Client.request``."""
    own, per_request = _split(options)
    with Client(**own) as client:
        return client.request(method, url, **per_request)


def download(url: str | URL, path: str | os.PathLike[str], **options: Any) -> Downloaded:
    """Fetch ``url`` into the file ``path``, with a client of its own; see ``Client.download``."""
    own = {name: options.pop(name) for name in list(options) if name not in (*_PER_REQUEST, *_PER_DOWNLOAD)}
    with Client(**own) as client:
        return client.download(url, path, **options)


@contextmanager
def stream(method: str, url: str | URL, **options: Any) -> Iterator[Response]:
    """As ``request``, with content read piece by piece inside the ``with`` block."""
    own, per_request = _split(options)
    with Client(**own) as client, client.stream(method, url, **per_request) as response:
        yield response


def get(url: str | URL, **options: Any) -> Response:
    """GET with a client of its own."""
    return request("GET", url, **options)


def head(url: str | URL, **options: Any) -> Response:
    """HEAD with a client of its own."""
    return request("HEAD", url, **options)


def options(url: str | URL, **options: Any) -> Response:
    """OPTIONS with a client of its own."""
    return request("OPTIONS", url, **options)


def delete(url: str | URL, **options: Any) -> Response:
    """DELETE with a client of its own."""
    return request("DELETE", url, **options)


def post(url: str | URL, **options: Any) -> Response:
    """POST with a client of its own."""
    return request("POST", url, **options)


def put(url: str | URL, **options: Any) -> Response:
    """PUT with a client of its own."""
    return request("PUT", url, **options)


def patch(url: str | URL, **options: Any) -> Response:
    """PATCH with a client of its own."""
    return request("PATCH", url, **options)

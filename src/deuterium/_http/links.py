"""Link fields taken apart (RFC 8288 section 3)."""

from __future__ import annotations

import re
from typing import Final

from .charset import unquote

# Each step eats at least one octet or stops, so that the time is linear in the length.
_TARGET = re.compile(r"[ \t,]*<([^<>]*)>").match
_PARAMETER = re.compile(r"[ \t]*;[ \t]*([^\s;,=\"<>]*)[ \t]*(?:=[ \t]*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?").match
_NEXT = re.compile(r"[^,\"]*").match
URL: Final = "url"


def parse_links(value: str) -> list[dict[str, str]]:
    """Each link of a Link field: ``url``, and its parameters by their names in lower case, the first of a name.

    What is malformed is left out, with what follows it.

    >>> parse_links('</p/2>; rel="next", </style.css>; rel=preload; as=style')
    [{'url': '/p/2', 'rel': 'next'}, {'url': '/style.css', 'rel': 'preload', 'as': 'style'}]
    """
    links = []
    at = 0
    while (target := _TARGET(value, at)) is not None:
        link = {URL: target[1].strip()}
        at = target.end()
        while (found := _PARAMETER(value, at)) is not None:
            name = found[1].lower()
            if name and name != URL:
                link.setdefault(name, unquote(found[2] or ""))
            at = found.end()
        links.append(link)
        rest = _NEXT(value, at)
        at = rest.end() if rest is not None else at
    return links

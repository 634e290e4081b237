"""``deuterium get``: one request, its content to a file or to standard output."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from time import monotonic

from ..errors import HTTPError, InvalidURL
from ..response import Response
from . import verbose
from .failures import OK, STATUS, Failure, failure
from .loop import run
from .output import Output, open_output
from .progress import DownloadBar
from .settings import Settings
from .trace import FrameTrace


@dataclass(frozen=True, slots=True)
class GetOptions:
    """What ``get`` shows, and where it puts the content."""

    output: str | None
    include: bool
    verbose: bool
    trace: bool
    fail: bool
    location: bool


def get(settings: Settings, options: GetOptions) -> int:
    """Run the command; the exit code. Raises Failure."""
    try:
        return run(_get(settings, options), asyncio.new_event_loop)
    except (HTTPError, InvalidURL) as error:
        raise failure(error) from error


async def _get(settings: Settings, options: GetOptions) -> int:
    trace = FrameTrace(sys.stderr) if options.trace else None
    async with settings.client(trace=trace) as client:
        content, length = settings.upload()
        fields = settings.fields()
        if length is not None and not any(name.lower() == "content-length" for name, _ in fields):
            fields.append(("content-length", str(length)))
        request = client.build_request(settings.verb(), settings.url, headers=fields, content=content)
        began = monotonic()
        response = await client.send(request, stream=True, follow_redirects=options.location)
        try:
            if options.verbose:
                for answer in (*response.history, response):
                    _say([*verbose.connection(answer), *verbose.request(answer), *verbose.response(answer)])
            if options.fail and response.is_error:
                raise Failure(f"the server answered {response.status_code} {response.reason_phrase}".rstrip(), STATUS)
            await _deliver(response, options)
            if options.verbose:
                _say(verbose.timings(response, began))
        finally:
            await response.aclose()
    return OK


async def _deliver(response: Response, options: GetOptions) -> None:
    """The header section if asked for, then the content as it arrives."""
    with open_output(options.output) as output:
        if options.include:
            output.write("".join(line + "\r\n" for line in verbose.head(response)).encode("latin-1") + b"\r\n")
        with _bar(response, options) as bar:
            await _copy(response, output, bar)


async def _copy(response: Response, output: Output, bar: DownloadBar) -> None:
    async for piece in response.aiter_bytes():
        output.write(piece)
        bar.draw(response.num_bytes_downloaded)
    bar.draw(response.num_bytes_downloaded, last=True)


def _bar(response: Response, options: GetOptions) -> DownloadBar:
    """Shown while a file is written and nothing else is told."""
    shown = options.output not in (None, "-") and not options.verbose and not options.trace
    length = response.headers.get("content-length")
    return DownloadBar(shown, os.path.basename(options.output or ""), int(length) if length else None)


def _say(lines: list[str]) -> None:
    sys.stderr.write("".join(line + "\n" for line in lines))

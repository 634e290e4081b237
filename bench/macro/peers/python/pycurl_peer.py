"""pycurl over HTTP/2: a CurlMulti loop of its own, or one easy handle per thread."""

import argparse
import contextlib
import io
import threading
from collections.abc import Callable, Iterator

from harness import Measured, Package, Tally, main, missing, needed, now_ns, options

with needed("pycurl"):
    import pycurl

PACKAGE = Package("pycurl", pycurl.version.split()[0].partition("/")[2])


def handle(chosen: argparse.Namespace) -> pycurl.Curl:
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, chosen.url)
    curl.setopt(pycurl.CAINFO, chosen.ca)
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
    curl.setopt(pycurl.PIPEWAIT, 1)
    curl.setopt(pycurl.NOSIGNAL, 1)
    return curl


class Transfer:
    """An easy handle, the buffer it writes to, and when its request began."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.curl = handle(chosen)
        self.curl.transfer = self
        self.begin()

    def begin(self) -> None:
        self.content = io.BytesIO()
        self.curl.setopt(pycurl.WRITEDATA, self.content)
        self.start_ns = now_ns()


def phase(chosen: argparse.Namespace, multi: pycurl.CurlMulti, transfers: list[Transfer], seconds: float) -> Tally:
    """Keeps every transfer in flight until the time is over, then lets the last ones finish."""
    tally = Tally()
    for transfer in transfers:
        transfer.begin()
        multi.add_handle(transfer.curl)
    end = now_ns() + int(seconds * 1e9)
    active = len(transfers)
    while active:
        multi.perform()
        _, done, failed = multi.info_read()
        for curl, _, message in failed:
            tally.fail(message)
            multi.remove_handle(curl)
            active -= 1
        now = now_ns()
        for curl in done:
            transfer = curl.transfer
            multi.remove_handle(curl)
            tally.latencies.append(now - transfer.start_ns)
            tally.add(curl.getinfo(pycurl.RESPONSE_CODE), transfer.content.tell(), chosen.size)
            if now < end:
                transfer.begin()
                multi.add_handle(curl)
            else:
                active -= 1
        if not done:
            multi.select(0.01)
    return tally


def run_multi(chosen: argparse.Namespace) -> None:
    if chosen.mode != "get":
        missing(f"pycurl has no {chosen.mode} here")
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, chosen.connections)
    transfers = [Transfer(chosen) for _ in range(chosen.concurrency)]
    phase(chosen, multi, transfers[:1], 0)
    phase(chosen, multi, transfers, chosen.warmup)
    measured = Measured(PACKAGE, chosen, Tally())
    with measured:
        measured.tally = phase(chosen, multi, transfers, chosen.seconds)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    local = threading.local()

    def get(url: str) -> tuple[int, int]:
        curl = getattr(local, "curl", None)
        if curl is None:
            curl = local.curl = handle(chosen)
        content = io.BytesIO()
        curl.setopt(pycurl.WRITEDATA, content)
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), content.tell()

    yield get


if options().variant == "sync":
    main(PACKAGE, None, opened_sync)
else:
    run_multi(options())

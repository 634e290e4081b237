"""requests: HTTP/1.1 only, a connection per thread."""

import argparse
import contextlib
from collections.abc import Callable, Iterator

from harness import Package, main, needed

with needed("requests"):
    import requests
    from requests.adapters import HTTPAdapter


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with requests.Session() as session:
        session.verify = chosen.ca
        session.trust_env = False
        session.mount("https://", HTTPAdapter(pool_maxsize=chosen.concurrency))

        def get(url: str) -> tuple[int, int]:
            response = session.get(url)
            return response.status_code, len(response.content)

        yield get


main(Package("requests", requests.__version__ + " (h1)"), None, opened_sync)

"""curl_cffi over HTTP/2."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from harness import Package, Verbs, main, needed

with needed("curl_cffi"):
    import curl_cffi


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    async with curl_cffi.AsyncSession(
        verify=chosen.ca, max_clients=chosen.concurrency, http_version="v2", trust_env=False, timeout=60
    ) as session:

        async def get(url: str) -> tuple[int, int]:
            response = await session.get(url)
            return response.status_code, len(response.content)

        yield Verbs(get)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with curl_cffi.Session(verify=chosen.ca, http_version="v2", trust_env=False, timeout=60) as session:

        def get(url: str) -> tuple[int, int]:
            response = session.get(url)
            return response.status_code, len(response.content)

        yield get


main(Package("curl_cffi", curl_cffi.__version__), opened, opened_sync)

"""What the exchanges of a connection are told when its transport failed."""

from __future__ import annotations

import ssl

from ..errors import ReadError, RequestError, WriteError


def broken_read(error: OSError) -> RequestError:
    """Receiving failed."""
    return _because(error, ReadError(f"the connection was lost: {error}", scope="connection"))


def broken_write(error: BaseException) -> RequestError:
    """Sending failed, or was interrupted."""
    return _because(error, WriteError(f"the connection was lost: {error}", scope="connection"))


def broken_tls(error: ssl.SSLError) -> RequestError:
    """What was received is not TLS."""
    return _because(error, ReadError(f"TLS failed: {error.reason or error}", scope="connection"))


def _because(error: BaseException, failure: RequestError) -> RequestError:
    failure.__cause__ = error
    return failure

"""What went wrong as one line and an exit code; the codes are curl's where curl has one."""

from __future__ import annotations

import ssl
from typing import Final

from ..errors import (
    ConnectError,
    DecodingError,
    InvalidURL,
    NetworkError,
    ProtocolError,
    ProxyError,
    TimeoutException,
    TooManyRedirects,
    UnsupportedProtocol,
    WriteError,
)

OK: Final = 0
UNSUPPORTED: Final = 1
USAGE: Final = 2
BAD_URL: Final = 3
PROXY: Final = 5
NAME: Final = 6
CONNECT: Final = 7
PROTOCOL: Final = 16
STATUS: Final = 22
WRITE_FILE: Final = 23
READ_FILE: Final = 26
TIMEOUT: Final = 28
TLS: Final = 35
REDIRECTS: Final = 47
SEND: Final = 55
RECEIVE: Final = 56
CERTIFICATE: Final = 60
CODING: Final = 61
BUG: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 130

# In this order: the first class that fits decides.
_CODES: Final = (
    (TimeoutException, TIMEOUT),
    (UnsupportedProtocol, UNSUPPORTED),
    (ProtocolError, PROTOCOL),
    (ProxyError, PROXY),
    (ConnectError, CONNECT),
    (WriteError, SEND),
    (NetworkError, RECEIVE),
    (TooManyRedirects, REDIRECTS),
    (DecodingError, CODING),
    (InvalidURL, BAD_URL),
)


class Failure(Exception):
    """Ends the command with one line on standard error, none if the message is empty, and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __str__(self) -> str:
        """One line of what a terminal can show, whatever the message holds."""
        line = " ".join(str(self.args[0]).split())
        return "".join(character if character.isprintable() else "?" for character in line)


def exit_code(error: BaseException) -> int:
    """The exit code for an error of this library.

    >>> from deuterium import ConnectTimeout
    >>> exit_code(ConnectTimeout("too late"))
    28
    """
    if isinstance(error, ConnectError):
        cause = error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError | ssl.CertificateError):
            return CERTIFICATE
        if isinstance(cause, ssl.SSLError):
            return TLS
        if type(cause).__name__ == "gaierror":
            return NAME
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return BUG


def failure(error: Exception) -> Failure:
    """The error as the command shows it."""
    code = exit_code(error)
    text = str(error)
    if code == BUG:
        text = f"unexpected {type(error).__name__}: {text}"
    elif code == TIMEOUT:
        text = f"timed out: {text}"
    return Failure(text or type(error).__name__, code)

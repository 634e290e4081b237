"""Exit codes of errors, and the one line each is shown as."""

from __future__ import annotations

import socket
import ssl

import pytest

import deuterium
from deuterium.cli import failures


def connect_error(cause: Exception) -> deuterium.ConnectError:
    error = deuterium.ConnectError("no")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (deuterium.UnsupportedProtocol("x"), 1),
        (deuterium.InvalidURL("x"), 3),
        (deuterium.ProxyError("x"), 5),
        (connect_error(socket.gaierror(-2, "x")), 6),
        (connect_error(ConnectionRefusedError()), 7),
        (deuterium.ConnectError("x"), 7),
        (deuterium.StreamReset("x"), 16),
        (deuterium.GoAway("x"), 16),
        (deuterium.ConnectTimeout("x"), 28),
        (deuterium.TotalTimeout("x"), 28),
        (connect_error(ssl.SSLError(1, "x")), 35),
        (deuterium.TooManyRedirects("x"), 47),
        (deuterium.WriteError("x"), 55),
        (deuterium.ReadError("x"), 56),
        (connect_error(ssl.SSLCertVerificationError(1, "x")), 60),
        (deuterium.DecodingError("x"), 61),
        (KeyError("x"), 70),
    ],
)
def test_exit_code_of_an_error_is_that_of_its_kind(error: Exception, code: int) -> None:
    assert failures.exit_code(error) == code


def test_failure_with_line_breaks_and_control_characters_is_one_printable_line() -> None:
    assert str(failures.Failure("one\ntwo \x1b[31mthree\x07", 7)) == "one two ?[31mthree?"

"""Peers that stall, drip, cut or garble: time limits, and ends that must not pass for the end of a message."""

from __future__ import annotations

import time

from rfc import wire

from .raw_peer import Line
from .scenario import Scenario

HEADERS = wire.headers(1, b"\x88")
SHORT = {"timeout": {"read": 0.3}}
DEADLINE = {"timeout": {"total": 0.4}}
CONNECT = {"timeout": {"connect": 0.3}}
MEASURED = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def silent(line: Line) -> None:
    """Nothing, not even TLS."""
    line.listens()


def silent_after_tls(line: Line) -> None:
    line.opens()
    line.listens()


def dripped_headers(line: Line) -> None:
    """HEADERS, an octet every 20 ms: no frame is ever complete in time."""
    line.drips(wire.headers(1, b"\x88" + b"\0\1a\1b" * 5), 0.02)


def pings_instead(line: Line) -> None:
    """Signs of life that are no progress."""
    line.drips(wire.ping() * 30, 0.02, 17)


def settings_instead(line: Line) -> None:
    line.drips(wire.settings() * 30, 0.02, 9)


def dripped_content(line: Line) -> None:
    """Progress, for ever."""
    line.says(HEADERS)
    line.drips(wire.data(1, b"x") * 30, 0.02, 10)


def empty_content(line: Line) -> None:
    """DATA that holds nothing: no progress."""
    line.says(HEADERS)
    line.drips(wire.data(1) * 30, 0.02, 9)


def informational_drip(line: Line) -> None:
    line.drips(b"".join(wire.response(1, status=103) for _ in range(30)), 0.02, 14)


def dripped_section(line: Line) -> None:
    line.drips(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 40, 0.02)


def dripped_body(line: Line) -> None:
    line.says(MEASURED)
    line.drips(b"x" * 99, 0.02)


def half_headers(line: Line) -> None:
    line.says(HEADERS[:8])
    line.listens()


def half_of_it(line: Line) -> None:
    line.says(HEADERS, wire.data(1, b"half"))


def cut_tls(line: Line) -> None:
    half_of_it(line)
    line.ends()


def close_notify(line: Line) -> None:
    half_of_it(line)
    line.leaves()


def broken(line: Line) -> None:
    half_of_it(line)
    time.sleep(0.05)
    line.breaks()


def cut_frame(line: Line) -> None:
    line.says(HEADERS, wire.data(1, bytes(1_000))[:500])
    line.leaves()


def cut_http1(line: Line) -> None:
    """Content that only the end of the connection delimits, and TLS does not say that it is the end."""
    line.says(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
    line.ends()


def ended_http1(line: Line) -> None:
    line.says(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    line.leaves()


def garbled(line: Line) -> None:
    """Octets that are no TLS record, in the middle."""
    half_of_it(line)
    line.left = True
    line.sends(b"\x17\x03\x03\x00\x20" + bytes(32))


def garbled_handshake(line: Line) -> None:
    line.sends(b"\x16\x03\x03\x00\x04\xff\xff\xff\xff")


def closed_at_once(line: Line) -> None:
    line.breaks()


def closed_after_tls(line: Line) -> None:
    line.opens()
    line.leaves()


def windowless(line: Line) -> None:
    """The window stays shut."""
    line.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 0}))
    time.sleep(0.8)


def windowless_from_the_start(line: Line) -> None:
    line.opens()
    line.hears_preface()
    line.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 0}), wire.settings_ack())
    line.listens()


TRANSPORT = [
    Scenario("silent-tcp", silent, "ConnectTimeout", options=CONNECT, raw=True, always=True, limit_s=1.0),
    Scenario("silent-tcp-http1", silent, "ReadTimeout", options=SHORT, raw=True, always=True, limit_s=1.0, alpn=""),
    Scenario("silent-after-tls", silent_after_tls, "ReadTimeout", options=SHORT, raw=True, always=True, limit_s=1.0),
    Scenario("silent-after-the-request", lambda line: None, "ReadTimeout", options=SHORT, reset=8, limit_s=1.0),
    Scenario("headers-dripped", dripped_headers, "ReadTimeout", options=SHORT, limit_s=1.0, reset=8),
    Scenario("headers-half", half_headers, "ReadTimeout", options=SHORT, limit_s=1.0, reset=8, always=True),
    Scenario("pings-instead-of-a-response", pings_instead, "ReadTimeout", options=SHORT, reset=8, limit_s=1.0),
    Scenario("settings-instead-of-a-response", settings_instead, "ReadTimeout", options=SHORT, reset=8, limit_s=1.0),
    Scenario("empty-data-instead-of-content", empty_content, "ReadTimeout", options=SHORT, reset=8, limit_s=1.0),
    Scenario("content-dripped", dripped_content, "TotalTimeout", options=DEADLINE, reset=8, limit_s=1.0),
    Scenario("content-dripped-streamed", dripped_content, "TotalTimeout", options=DEADLINE, reset=8, act="stream"),
    Scenario("informational-dripped", informational_drip, "TotalTimeout", options=DEADLINE, reset=8, limit_s=1.0),
    Scenario("h1-header-section-dripped", dripped_section, "TotalTimeout", options=DEADLINE, alpn="http/1.1"),
    Scenario("h1-content-dripped", dripped_body, "TotalTimeout", options=DEADLINE, alpn="http/1.1"),
    Scenario("tls-cut", cut_tls, "ReadError"),
    Scenario("tls-closed-in-the-content", close_notify, "ReadError"),
    Scenario("tcp-reset-in-the-content", broken, "ReadError"),
    Scenario("frame-cut", cut_frame, "ReadError", act="stream"),
    Scenario("h1-tls-cut-is-no-end-of-content", cut_http1, "ReadError", alpn="http/1.1"),
    Scenario("h1-close-notify-is-one", ended_http1, content=b"all of it", alpn="http/1.1"),
    Scenario("tls-record-garbled", garbled, "ReadError", says="TLS"),
    Scenario("tls-handshake-garbled", garbled_handshake, "ConnectError", raw=True, always=True),
    Scenario("closed-at-once", closed_at_once, "ConnectError", raw=True, always=True),
    Scenario("closed-after-tls", closed_after_tls, "ReadError", raw=True, always=True),
    Scenario(
        "window-shut-after-the-start",
        windowless,
        "WriteTimeout",
        act="post",
        options={"timeout": {"write": 0.3}},
        reset=8,
    ),
    Scenario(
        "window-shut",
        windowless_from_the_start,
        "WriteTimeout",
        act="post",
        options={"timeout": {"write": 0.3}},
        raw=True,
        always=True,
    ),
]

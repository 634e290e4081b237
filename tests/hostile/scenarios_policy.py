"""Responses that try to make the client give away secrets, go elsewhere, or remember too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .raw_peer import Line, RawPeer
from .scenario import Scenario
from .scenarios_content import gzip_bomb

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
SECRETS = {"authorization": "Bearer s3cret", "cookie": "id=s3cret", "proxy-authorization": "Basic s3cret", "x": "plain"}
Check = Callable[[RawPeer], None]


def port(line: Line) -> int:
    """The port the peer listens on."""
    number: int = line.sock.getsockname()[1]
    return number


def moved(status: int, location: str, *fields: bytes, content: bytes = b"") -> Callable[[Line], None]:
    """A redirect; {port} in the location is the peer's."""

    def script(line: Line) -> None:
        line.says(
            b"HTTP/1.1 %d Moved\r\nLocation: %b\r\n" % (status, location.format(port=port(line)).encode()),
            *(field + b"\r\n" for field in fields),
            b"Content-Length: %d\r\n\r\n" % len(content),
            content,
        )

    return script


def heads(peer: RawPeer) -> list[bytes]:
    """The header section of every request, in order of connections."""
    return [head for line in peer.lines for head in bytes(line.heard).split(b"\r\n\r\n") if head]


def no_secret_elsewhere(peer: RawPeer) -> None:
    """Only what was sent to localhost may hold the secrets."""
    for head in heads(peer):
        if b"host: 127.0.0.1" in head.lower():
            assert b"s3cret" not in head
            assert b"x: plain" in head.lower()
    assert sum(b"host: 127.0.0.1" in head.lower() for head in heads(peer)) == 1


def nothing_comes_back(peer: RawPeer) -> None:
    """Once dropped, the secrets stay dropped, on the first host too."""
    followed = [head for head in heads(peer) if b"GET / " not in head and b"/after" not in head]
    assert len(followed) == 2
    assert all(b"s3cret" not in head for head in followed)


def there_and_back(line: Line) -> None:
    """localhost, 127.0.0.1 and localhost again: three requests on as many connections as it takes."""
    line.opens()
    asked = 0
    while True:
        asked += 1
        line.hears_head(asked)
        target = bytes(line.heard).split(b"\r\n\r\n")[asked - 1].split(b" ")[1]
        if target == b"/":
            moved(302, "https://127.0.0.1:{port}/there")(line)
        elif target == b"/there":
            moved(302, "https://localhost:{port}/back")(line)
        else:
            line.says(OK, b"\r\ndone")


def for_ever(line: Line) -> None:
    line.opens()
    asked = 0
    while True:
        asked += 1
        line.hears_head(asked)
        moved(302, "/again")(line)


def see_other(peer: RawPeer) -> None:
    """303 turns POST into GET, without its content and what described it."""
    line = bytes(peer.lines[0].heard)
    after = line[line.index(b"\r\nGET ") if b"\r\nGET " in line else line.index(b"GET ") :].lower()
    assert b"content-length" not in after.split(b"\r\n\r\n")[0]
    assert b"content-type" not in after.split(b"\r\n\r\n")[0]


def cookies(*fields: bytes) -> Callable[[Line], None]:
    def script(line: Line) -> None:
        line.says(OK, *(b"Set-Cookie: " + field + b"\r\n" for field in fields), b"\r\ndone")

    return script


def no_cookie(peer: RawPeer) -> None:
    assert all(b"cookie:" not in head.lower() for head in heads(peer))


def short_cookies(peer: RawPeer) -> None:
    """The second request is one that servers take."""
    assert all(len(head) < 40 * 1024 for head in heads(peer))


def refused(name: str, location: str, error: str = "RemoteProtocolError") -> Scenario:
    return Scenario(
        f"redirect-{name}",
        moved(302, location),
        error,
        act="follow",
        alpn="http/1.1",
        options={"follow_redirects": True},
    )


def follow(name: str, script: Callable[[Line], None], check: Check, **arguments: Any) -> Scenario:
    options = {"follow_redirects": True, "headers": SECRETS, **arguments.pop("options", {})}
    return Scenario(
        f"redirect-{name}", script, act="follow", alpn="http/1.1", options=options, check=check, **arguments
    )


def cookie(name: str, *fields: bytes, check: Check = no_cookie) -> Scenario:
    return Scenario(f"cookie-{name}", cookies(*fields), content=b"done", alpn="http/1.1", check=check)


def pass_on(peer: RawPeer) -> None:
    """Nothing more to see."""


POLICY = [
    follow("to-another-host-with-secrets", moved(302, "https://127.0.0.1:{port}/there"), no_secret_elsewhere),
    follow("to-another-host-by-307", moved(307, "//127.0.0.1:{port}/there"), no_secret_elsewhere),
    follow("there-and-back", there_and_back, nothing_comes_back, raw=True, always=True, content=b"done"),
    follow("303-after-post", moved(303, "/there"), see_other, options={"method": "POST", "post": "content"}),
    follow(
        "with-a-bomb-for-content",
        moved(302, "/there", b"Content-Encoding: gzip", content=gzip_bomb()),
        pass_on,
        error="DecodingError",
        limit_s=3.0,
    ),
    Scenario(
        "redirect-for-ever",
        for_ever,
        "TooManyRedirects",
        raw=True,
        always=True,
        act="follow",
        alpn="http/1.1",
        options={"follow_redirects": True},
    ),
    refused("to-a-file", "file:///etc/passwd", "UnsupportedProtocol"),
    refused("to-ftp", "ftp://localhost/", "UnsupportedProtocol"),
    refused("to-javascript", "javascript:alert(1)", "UnsupportedProtocol"),
    refused("to-an-address-spelled-as-a-number", "https://2130706433:{port}/"),
    refused("with-a-control-character", "https://localhost:{port}/\x01"),
    refused("with-a-backslash", "https:\\\\localhost:{port}\\x"),
    refused("to-a-zone-identifier", "https://[fe80::1%25eth0]:{port}/"),
    refused("to-an-escaped-host", "https://local%68ost:{port}/"),
    refused("to-port-zero", "https://localhost:0/"),
    refused("to-a-port-too-large", "https://localhost:65536/"),
    refused("without-a-host", "https:///x"),
    *(
        Scenario(f"redirect-not-followed-{name}", moved(302, location), status=302, act="follow", alpn="http/1.1")
        for name, location in (("to-an-app", "app://callback"), ("to-nonsense", "https://[::"), ("to-port-0", "//a:0/"))
    ),
    cookie("for-another-domain", b"a=1; Domain=example.com"),
    cookie("for-a-public-suffix", b"a=1; Domain=com", b"b=1; Domain=co.uk", b"c=1; Domain=CO.UK"),
    cookie("for-a-trailing-dot", b"a=1; Domain=com.", b"b=1; Domain=.com."),
    cookie("for-the-host-with-a-dot", b"a=1; Domain=localhost."),
    Scenario(
        "cookie-with-a-control-character", cookies(b"a=\x01b"), "RemoteProtocolError", alpn="http/1.1", check=no_cookie
    ),
    cookie("host-prefix-without-path", b"__Host-a=1; Secure", b"__Host-b=1; Secure; Path=/; Domain=localhost"),
    cookie("secure-prefix-not-secure", b"__Secure-a=1", b"__SECURE-b=1"),
    cookie("of-another-path", b"a=1; Path=/elsewhere"),
    cookie("longer-than-4-kib", b"a=" + b"v" * 4_096),
    cookie("flood", *(b"n%d=" % n + b"v" * 150 for n in range(1_000)), check=short_cookies),
    cookie("flood-of-long-ones", *(b"n%d=" % n + b"v" * 4_000 for n in range(60)), check=short_cookies),
]

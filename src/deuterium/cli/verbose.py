"""``-v``: the connection, both header sections and the times, as lines."""

from __future__ import annotations

import hashlib
from time import monotonic
from typing import Any

from ..response import Response


def connection(response: Response) -> list[str]:
    """Address, reuse and TLS."""
    facts = response.connection
    how = f"reused, request {facts.request_number} on it" if facts.reused else "new"
    lines = [f"* connection to {_address(facts.peer)}: {how}"]
    if facts.tls is not None:
        tls = facts.tls
        resumed = ", session resumed" if tls["session_reused"] else ""
        lines.append(f"* TLS: {tls['version']}, {tls['cipher']}, ALPN {tls['alpn'] or 'none'}{resumed}")
        lines.extend(_certificate(tls))
    return lines


def _certificate(tls: dict[str, Any]) -> list[str]:
    certificate = tls["certificate"]
    if not certificate:
        der = tls["certificate_der"]
        if not der:
            return ["* certificate: none"]
        return [f"* certificate: not verified, SHA-256 {hashlib.sha256(der).hexdigest()}"]
    names = ", ".join(value for _, value in certificate.get("subjectAltName", ()))
    return [
        f"* certificate: subject {_name(certificate.get('subject', ()))}; for {names or 'no name'}",
        f"* certificate: issuer {_name(certificate.get('issuer', ()))}; expires {certificate.get('notAfter', 'never')}",
    ]


def _name(parts: Any) -> str:
    """A distinguished name as ``ssl`` gives it, on one line."""
    return ", ".join(f"{key}={value}" for group in parts for key, value in group) or "(empty)"


def _address(peer: Any) -> str:
    if isinstance(peer, tuple) and len(peer) >= 2:
        return f"{peer[0]} port {peer[1]}"
    return str(peer) if peer else "an unknown address"


def request(response: Response) -> list[str]:
    """The request as it was sent."""
    sent = response.request
    lines = [f"> {sent.method} {sent.target} {response.http_version}", f"> host: {sent.origin.authority}"]
    lines.extend(f"> {name}: {value}" for name, value in sent.headers.multi_items())
    return lines


def head(response: Response) -> list[str]:
    """The status line, as HTTP/1.1 would write it, and the fields."""
    status = f"{response.http_version} {response.status_code} {response.reason_phrase}".rstrip()
    return [status, *(f"{name}: {value}" for name, value in response.headers.multi_items())]


def response(response: Response) -> list[str]:
    """The header section that came back, and any early hints before it."""
    hints = [f"< early hint: {name}: {value}" for part in response.early_hints for name, value in part.multi_items()]
    return [*hints, *(f"< {line}" for line in head(response))]


def timings(response: Response, began: float) -> list[str]:
    """The trailers, which came last, and how long each phase took; after redirects, each phase of the last request."""
    facts = response.connection
    end = facts.finished_at or monotonic()
    asked_at = began
    if response.history:
        before = response.history[-1].connection
        asked_at = before.finished_at or before.answered_at
    lines = [f"< trailer: {name}: {value}" for name, value in response.trailers.multi_items()]
    lines.append(
        f"* time: connect {_ms(facts.sent_at - asked_at)} (name, TCP, TLS)"
        f", first byte {_ms(facts.answered_at - facts.sent_at)}"
        f", content {_ms(end - facts.answered_at)}"
        f", total {_ms(end - began)}"
    )
    lines.append(f"* received: {response.num_bytes_downloaded} bytes of content")
    return lines


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"

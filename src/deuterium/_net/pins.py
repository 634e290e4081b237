"""Certificate pins: which certificates or public keys a host may show, beside being valid."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from hashlib import sha256

_PUBLIC_KEY = "sha256//"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}").fullmatch
_SEQUENCE = 0x30
_VERSION = 0xA0  # [0] EXPLICIT, left out in version 1


class Pins:
    """Digests, at least one of which the peer's certificate must have.

    ``sha256//`` and base64 names a public key, the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 section 2.4, curl's
    ``--pinnedpubkey``): it outlives renewals. 64 hexadecimal digits, colons allowed, name one certificate, the SHA-256
    of its DER (``openssl x509 -fingerprint -sha256``). Raises ValueError for anything else, and for no pin at all.
    """

    __slots__ = ("certificates", "public_keys")

    def __init__(self, pins: Iterable[str]) -> None:
        self.certificates: set[bytes] = set()
        self.public_keys: set[bytes] = set()
        for pin in (pins,) if isinstance(pins, str) else pins:
            if pin.startswith(_PUBLIC_KEY):
                digest = b64decode(pin[len(_PUBLIC_KEY) :], validate=True)
                if len(digest) != 32:
                    raise ValueError(f"{pin!r} is not the base64 of a SHA-256")
                self.public_keys.add(digest)
                continue
            digits = pin.replace(":", "").lower()
            if not _FINGERPRINT(digits):
                raise ValueError(f"{pin!r} is neither sha256//<base64> nor 64 hexadecimal digits")
            self.certificates.add(bytes.fromhex(digits))
        if not self.certificates and not self.public_keys:
            raise ValueError("no pin")

    def allow(self, certificate: bytes | None) -> bool:
        """Whether the certificate, as DER, has one of the digests."""
        if not certificate:
            return False
        if sha256(certificate).digest() in self.certificates:
            return True
        return bool(self.public_keys) and sha256(public_key_info(certificate)).digest() in self.public_keys


def public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, as DER (RFC 5280 section 4.1). Raises ValueError."""
    start, _ = _open(certificate, 0)  # Certificate
    position, end = _open(certificate, start)  # TBSCertificate
    if certificate[position] == _VERSION:
        position = _after(certificate, position)
    for _ in range(5):  # serialNumber, signature, issuer, validity, subject
        position = _after(certificate, position)
    after = _after(certificate, position)
    if certificate[position] != _SEQUENCE or after > end:
        raise ValueError("not a certificate")
    return certificate[position:after]


def _open(der: bytes, position: int) -> tuple[int, int]:
    """Where the contents of the sequence at ``position`` begin and end."""
    if der[position : position + 1] != b"\x30":
        raise ValueError("not a certificate")
    return _contents(der, position)


def _after(der: bytes, position: int) -> int:
    return _contents(der, position)[1]


def _contents(der: bytes, position: int) -> tuple[int, int]:
    """Begin and end of a value's contents: X.690 section 8.1.3, definite lengths alone."""
    if position + 2 > len(der):
        raise ValueError("a certificate that is cut short")
    length = der[position + 1]
    start = position + 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("a length that DER does not allow")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > len(der):
        raise ValueError("a certificate that is cut short")
    return start, start + length

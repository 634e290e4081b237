"""Peers whose certificates or TLS versions are not good enough, against both clients: refused before a request."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from deuterium import ConnectError
from integration.faces import Face
from integration.test_tls import DAY, NOW, Authority
from servers.loopback import Loopback

FACES = ("async-h1", "sync-h1")

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "wrong name": ({"names": ("other.example",)}, "localhost", "mismatch"),
    "common name only": ({"names": (), "common_name": "localhost"}, "localhost", "mismatch"),
    "wildcard for its parent": ({"names": ("*.localhost",)}, "localhost", "mismatch"),
    "expired": ({"begin": NOW - 2 * DAY, "end": NOW - timedelta(seconds=1)}, "localhost", "expired"),
    "not yet valid": ({"begin": NOW + DAY, "end": NOW + 2 * DAY}, "localhost", "not yet valid"),
    "for clients only": ({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, "localhost", "purpose"),
    "for code signing": ({"usage": ExtendedKeyUsageOID.CODE_SIGNING}, "localhost", "purpose"),
    "address as a DNS name": ({"names": ("127.0.0.1",)}, "127.0.0.1", "mismatch"),
    "name for an address": ({"names": ("localhost",)}, "127.0.0.1", "mismatch"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Face]:
    with_authority = Face(request.param, verify=str(authority.file))
    yield with_authority
    _end(with_authority)


def _end(face: Face) -> None:
    face.run(face.client.aclose() if face.runner else face.client.close())
    if face.runner is not None:
        face.runner.close()


def refusal(face: Face, server: Loopback, host: str = "localhost") -> ConnectError:
    """What a request ends with; the server saw nothing of it."""
    with pytest.raises(ConnectError) as failure:
        face.get(server.url(host))
    assert failure.value.request_processed is False
    assert server.seen == []
    return failure.value


@pytest.mark.parametrize("case", REFUSED)
def test_tls_bad_certificate_is_refused_by_both_clients(face: Face, authority: Authority, case: str) -> None:
    certificate, host, reason = REFUSED[case]
    with Loopback(authority.server_context(**certificate)) as server:
        error = refusal(face, server, host)
    assert error.initiator == "library"
    assert reason in str(error)


@pytest.mark.parametrize("name", FACES)
def test_tls_unknown_authority_is_refused_by_both_clients(authority: Authority, name: str) -> None:
    face = Face(name)
    with Loopback(authority.server_context()) as server:
        error = refusal(face, server)
    _end(face)
    assert error.initiator == "library"
    assert "issuer" in str(error)


def test_tls_good_certificate_is_accepted_by_both_clients(face: Face, authority: Authority) -> None:
    with Loopback(authority.server_context()) as server:
        assert face.get(server.url()).status_code == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_before_1_2_is_refused_by_both_clients(face: Face, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = version
        context.maximum_version = version
    with Loopback(context) as server:
        assert "protocol" in str(refusal(face, server)).lower()

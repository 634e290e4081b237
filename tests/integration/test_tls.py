"""TLS with real servers: which certificates are refused and how, sessions, pins, names."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import tasks
from deuterium import AsyncClient, ConnectError, ReadError
from servers.loopback import Loopback

pytestmark = pytest.mark.every_loop

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Issues what no honest authority would, but in the form that Python 3.13 asks for (VERIFY_X509_STRICT)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Deuterium tests")])
        certificate = (
            self._builder(self.name, self.key.public_key(), NOW - DAY, NOW + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(SIGNS_CERTIFICATES, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: Any, begin: datetime, end: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def server_context(
        self,
        names: tuple[str, ...] = ("localhost",),
        *,
        common_name: str = "",
        begin: datetime = NOW - DAY,
        end: datetime = NOW + DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> ssl.SSLContext:
        """The context of a server with a certificate made to order."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        builder = (
            self._builder(subject, key.public_key(), begin, end)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=not common_name
            )
        file = self.folder / "leaf.pem"
        file.write_bytes(
            builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@contextmanager
def serving(ca: trustme.CA, *names: str, **options: Any) -> Iterator[Loopback]:
    """A server with a good certificate for ``names``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
    with Loopback(context, **options) as server:
        yield server


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return str(file)


def refusal(arun: Any, url: str, **options: Any) -> ConnectError:
    """What the dial to ``url`` ends with."""

    async def scenario() -> ConnectError:
        async with AsyncClient(**options) as client:
            with pytest.raises(ConnectError) as failure:
                await client.get(url)
            return failure.value

    error: ConnectError = arun(scenario())
    assert error.request_processed is False
    return error


# -- certificates ----------------------------------------------------------------------------------------------------


def test_tls_certificate_in_order_is_accepted(arun: Any, authority: Authority) -> None:
    async def scenario() -> None:
        async with AsyncClient(verify=str(authority.file)) as client:
            assert (await client.get(server.url())).status_code == 200

    with Loopback(authority.server_context()) as server:
        arun(scenario())


def test_tls_unknown_authority_is_refused_by_us(arun: Any, authority: Authority) -> None:
    with Loopback(authority.server_context()) as server:
        error = refusal(arun, server.url())
    assert error.initiator == "library"
    assert "unable to get local issuer" in str(error)
    assert server.seen == []


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ({"names": ("other.example",)}, "Hostname mismatch"),
        ({"names": (), "common_name": "localhost"}, "Hostname mismatch"),
        ({"end": NOW - timedelta(seconds=1), "begin": NOW - 2 * DAY}, "expired"),
        ({"begin": NOW + DAY, "end": NOW + 2 * DAY}, "not yet valid"),
        ({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, "certificate purpose"),
        ({"names": ("*.localhost",)}, "Hostname mismatch"),
    ],
    ids=["wrong-name", "common-name-only", "expired", "not-yet-valid", "client-auth-only", "wildcard-for-its-parent"],
)
def test_tls_bad_certificate_is_refused_by_us(
    arun: Any, authority: Authority, certificate: dict[str, Any], reason: str
) -> None:
    with Loopback(authority.server_context(**certificate)) as server:
        error = refusal(arun, server.url(), verify=str(authority.file))
    assert error.initiator == "library"
    assert reason in str(error)
    assert server.seen == []


def test_tls_verify_false_accepts_what_cannot_be_verified(arun: Any, authority: Authority) -> None:
    async def scenario() -> None:
        async with AsyncClient(verify=False) as client:
            assert (await client.get(server.url())).status_code == 200

    with Loopback(authority.server_context(names=(), end=NOW - timedelta(seconds=1), begin=NOW - DAY)) as server:
        arun(scenario())


def test_tls_address_in_the_certificate_is_accepted_and_one_missing_refused(
    arun: Any, ca: trustme.CA, ca_file: str
) -> None:
    async def scenario(url: str) -> None:
        async with AsyncClient(verify=ca_file) as client:
            assert (await client.get(url)).status_code == 200

    with serving(ca, "127.0.0.1", host="0.0.0.0") as server:
        arun(scenario(server.url("127.0.0.1")))
        assert "mismatch" in str(refusal(arun, server.url("127.0.0.2"), verify=ca_file))
    with serving(ca, "::1", host="::1") as server:
        arun(scenario(server.url("[::1]")))


def test_tls_address_spelled_as_a_dns_name_is_refused(arun: Any, authority: Authority) -> None:
    with Loopback(authority.server_context(names=("127.0.0.1",))) as server:
        assert "mismatch" in str(refusal(arun, server.url("127.0.0.1"), verify=str(authority.file)))


def test_tls_host_with_a_final_dot_is_verified_without_it(arun: Any, ca: trustme.CA, ca_file: str) -> None:
    async def resolve(name: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def scenario() -> None:
        async with AsyncClient(verify=ca_file, resolver=resolve) as client:
            assert (await client.get(server.url("localhost."))).status_code == 200

    with serving(ca) as server:
        arun(scenario())


# -- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_below_1_2_is_refused(arun: Any, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = version
        context.maximum_version = version
    with Loopback(context) as server:
        error = refusal(arun, server.url(), verify=str(authority.file))
    assert server.seen == []
    assert "protocol" in str(error).lower()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_later_is_accepted(arun: Any, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server_context()
    context.minimum_version = context.maximum_version = version

    async def scenario() -> None:
        async with AsyncClient(verify=str(authority.file)) as client:
            assert (await client.get(server.url())).status_code == 200

    with Loopback(context) as server:
        arun(scenario())


@pytest.mark.every_loop("trio as a guest")
def test_tls_to_a_server_without_it_is_refused_by_us(arun: Any) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        server = await tasks.on_asyncio(asyncio.start_server(answer, "127.0.0.1", 0))
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with AsyncClient() as client:
            with closing(server), pytest.raises(ConnectError, match="WRONG_VERSION_NUMBER") as failure:
                await client.get(url)
        assert (failure.value.initiator, failure.value.scope) == ("library", "connection")

    arun(scenario())


# -- the end ---------------------------------------------------------------------------------------------------------


def test_tls_cut_without_close_notify_is_no_end_of_content(arun: Any, ca: trustme.CA, ca_file: str) -> None:
    async def scenario() -> None:
        async with AsyncClient(verify=ca_file) as client:
            with pytest.raises(ReadError) as failure:
                await client.get(server.url())
            assert failure.value.request_processed is None

    with serving(ca, cut=True) as server:
        arun(scenario())


# -- sessions --------------------------------------------------------------------------------------------------------


async def _second_connection(client: AsyncClient, url: str) -> Any:
    """What the server says of the second of two connections, the first being gone."""
    assert (await client.get(url)).json()["reused"] is False
    for route in client._sender.pool.routes.values():  # type: ignore[union-attr]
        for carrier in list(route.carriers):
            carrier.abort()
    await tasks.sleep(0.02)
    return (await client.get(url)).json()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_session_is_resumed_by_the_next_connection(
    arun: Any, ca: trustme.CA, ca_file: str, version: ssl.TLSVersion
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    ca.issue_cert("localhost").configure_cert(context)

    async def scenario() -> None:
        async with AsyncClient(verify=ca_file) as client:
            second = await _second_connection(client, server.url())
            assert second["reused"] is True
            (route,) = client._sender.pool.routes.values()  # type: ignore[union-attr]
            assert route.carriers[0].tls.facts()["session_reused"] is True

    with Loopback(context) as server:
        arun(scenario())


def test_tls_session_of_another_name_on_the_same_address_is_not_used(
    arun: Any, ca: trustme.CA, ca_file: str
) -> None:
    async def scenario() -> None:
        async with AsyncClient(verify=ca_file) as client:
            await client.get(server.url("localhost"))
            assert (await client.get(server.url("127.0.0.1"))).json()["reused"] is False

    with serving(ca) as server:
        arun(scenario())


def test_tls_session_resumed_is_still_held_to_the_pins(arun: Any, ca: trustme.CA, ca_file: str) -> None:
    with serving(ca) as server:
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", server.port)))
        fingerprint = sha256(der).hexdigest()

        async def scenario() -> None:
            async with AsyncClient(verify=ca_file, pins={"localhost": [fingerprint]}) as client:
                assert (await _second_connection(client, server.url()))["reused"] is True

        arun(scenario())


# -- pins ------------------------------------------------------------------------------------------------------------


def test_tls_pins_one_that_fits_is_enough_and_none_that_fits_is_refused(
    arun: Any, ca: trustme.CA, ca_file: str
) -> None:
    async def scenario(pins: list[str]) -> None:
        async with AsyncClient(verify=ca_file, pins={"localhost": pins}) as client:
            assert (await client.get(server.url())).status_code == 200

    with serving(ca) as server:
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", server.port)))
        key = x509.load_der_x509_certificate(der).public_key()
        info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        public_key = "sha256//" + b64encode(sha256(info).digest()).decode()
        other = "ab" * 32
        arun(scenario([other, sha256(der).hexdigest()]))
        arun(scenario([other, public_key]))
        server.seen.clear()
        error = refusal(arun, server.url(), verify=ca_file, pins={"localhost": [other]})
        assert error.initiator == "library"
        assert "pinned" in str(error)
        assert server.seen == []
        arun(scenario_without_pin(server.url("127.0.0.1"), ca_file, other))


async def scenario_without_pin(url: str, ca_file: str, pin: str) -> None:
    """A host without pins of its own is not held to another's."""
    async with AsyncClient(verify=ca_file, pins={"localhost": [pin]}) as client:
        assert (await client.get(url)).status_code == 200


# -- client certificates, key log, server name ----------------------------------------------------------------------


def test_tls_client_certificate_is_shown_and_without_one_the_server_refuses(
    arun: Any, ca: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    own = ca.issue_cert("client@example.org")
    file = str(tmp_path / "client.pem")
    own.private_key_and_cert_chain_pem.write_to_path(file)

    async def scenario() -> None:
        async with AsyncClient(verify=ca_file, cert=file) as client:
            assert (await client.get(server.url())).json()["client"]
        async with AsyncClient(verify=ca_file) as client:
            # In TLS 1.3 the client is done before the server looks: the alert comes instead of an answer.
            with pytest.raises((ConnectError, ReadError)) as failure:
                await client.get(server.url())
            assert failure.value.initiator == "remote"

    with Loopback(context) as server:
        arun(scenario())


def test_tls_files_that_cannot_be_used_are_the_users_fault(arun: Any, ca_file: str, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    url = "https://127.0.0.1:1/"
    for options in (
        {"verify": str(tmp_path / "missing.pem")},
        {"verify": str(locked)},
        {"verify": ca_file, "cert": str(tmp_path / "missing.pem")},
        {"verify": ca_file, "cert": (ca_file, str(locked))},
    ):
        assert refusal(arun, url, **options).initiator == "user"


def test_tls_key_log_is_written_only_when_the_environment_is_trusted(
    arun: Any, ca: trustme.CA, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(file))

    async def scenario(trust_env: bool) -> None:
        async with AsyncClient(verify=ca_file, trust_env=trust_env) as client:
            await client.get(server.url())

    with serving(ca) as server:
        arun(scenario(False))
        assert not file.exists()
        arun(scenario(True))
        assert "CLIENT_TRAFFIC_SECRET_0" in file.read_text()


def test_tls_server_name_of_a_request_is_asked_for_and_verified(arun: Any, ca: trustme.CA, ca_file: str) -> None:
    async def scenario() -> None:
        async with AsyncClient(verify=ca_file) as client:
            url = server.url("127.0.0.1")
            named = await client.get(url, extensions={"sni_hostname": "service.example"})
            again = await client.get(url, extensions={"sni_hostname": "service.example"})
            assert named.json()["connection"] == again.json()["connection"]
            assert str(named.request.url) == url
            with pytest.raises(ConnectError, match="mismatch"):
                await client.get(url)

    names = []
    with serving(ca, "service.example") as server:
        assert server.context is not None
        server.context.sni_callback = lambda _, name, __: names.append(name)
        arun(scenario())
        assert b"Host: 127.0.0.1" in server.seen[0]
    assert names == ["service.example", None]

"""Certificate pins, against certificates made by another library."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from deuterium._net.pins import Pins, public_key_info


def certificates() -> list[x509.Certificate]:
    ca = trustme.CA()
    leaves = [
        ca.issue_cert("a.example", key_type=trustme.KeyType.ECDSA),
        ca.issue_cert("b.example", key_type=trustme.KeyType.RSA),
    ]
    pems = [ca.cert_pem.bytes(), *(leaf.cert_chain_pems[0].bytes() for leaf in leaves)]
    return [x509.load_pem_x509_certificate(pem) for pem in pems]


CERTIFICATES = certificates()
DER = CERTIFICATES[1].public_bytes(Encoding.DER)


@pytest.mark.parametrize("certificate", CERTIFICATES, ids=["authority", "ecdsa", "rsa"])
def test_public_key_info_is_what_the_library_says(certificate: x509.Certificate) -> None:
    expected = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_info(certificate.public_bytes(Encoding.DER)) == expected


@given(st.integers(0, len(DER) - 1))
def test_public_key_info_of_a_certificate_cut_short_is_a_value_error(end: int) -> None:
    with pytest.raises(ValueError, match=r"certificate|length"):
        public_key_info(DER[:end])


@given(st.binary(max_size=64))
def test_public_key_info_of_random_octets_is_a_value_error_or_a_part_of_them(octets: bytes) -> None:
    try:
        info = public_key_info(octets)
    except ValueError:
        return
    assert info in octets


def test_pins_fingerprint_with_and_without_colons_allows_its_certificate_alone() -> None:
    digits = sha256(DER).hexdigest()
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    for spelling in (digits, colons):
        assert Pins([spelling]).allow(DER)
        assert not Pins([spelling]).allow(CERTIFICATES[0].public_bytes(Encoding.DER))
    assert Pins(digits).allow(DER)


def test_pins_public_key_allows_every_certificate_of_it() -> None:
    digest = b64encode(sha256(public_key_info(DER)).digest()).decode()
    assert Pins(["sha256//" + digest]).allow(DER)
    assert not Pins(["sha256//" + digest]).allow(CERTIFICATES[2].public_bytes(Encoding.DER))


def test_pins_no_certificate_is_never_allowed() -> None:
    assert not Pins(["ab" * 32]).allow(None)
    assert not Pins(["ab" * 32]).allow(b"")


@pytest.mark.parametrize(
    "pin", ["", "ab" * 31, "ab" * 33, "zz" * 32, "sha256//", "sha256//QUJD", "sha256//*", "sha1//x"]
)
def test_pins_that_are_none_are_refused(pin: str) -> None:
    with pytest.raises(ValueError):
        Pins([pin])


def test_pins_empty_list_is_refused_instead_of_pinning_nothing() -> None:
    with pytest.raises(ValueError, match="no pin"):
        Pins([])

"""Reading the file of a trusted CA."""

from datetime import UTC, datetime, timedelta
from functools import cache

from bot.domain.certificates import NamedFile, Trusted, read_trusted
from bot.sandbox.pki import Authority, Issued, self_signed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = NOW - timedelta(days=10)


@cache
def root() -> Authority:
    return Authority.make("Example Root", not_before=START)


@cache
def middle() -> Authority:
    return root().intermediate("Example Issuing CA", not_before=START)


@cache
def server() -> Issued:
    return middle().issue("pbx.example.com", not_before=START)


def trusted(*parts: bytes) -> Trusted:
    result = read_trusted([NamedFile(f"ca{at}.crt", part) for at, part in enumerate(parts)], NOW)
    assert isinstance(result, Trusted), result
    return result


def trusted_codes(*parts: bytes) -> list[str]:
    result = read_trusted([NamedFile(f"f{at}", part) for at, part in enumerate(parts)], NOW)
    assert isinstance(result, list), result
    return [problem.code for problem in result]


def test_a_trusted_ca_comes_out_as_pem() -> None:
    """A CA certificate in DER or among text becomes one PEM block with its facts."""
    assert trusted(root().der()).pem == root().cert_pem
    result = trusted(b"our root\n" + root().cert_pem)
    assert (result.pem, result.facts.subject, result.warnings) == (root().cert_pem, "CN=Example Root", ())


def test_a_trusted_ca_with_a_private_key_is_refused() -> None:
    """A key in a trusted CA file is a problem in every dress, also beside a signing request."""
    for key in (root().key_pem, root().key_der(), root().encrypted_key_pem("x"), root().key_pem + root().csr_pem()):
        assert trusted_codes(root().cert_pem, key) == ["key_in_trusted"]
    assert trusted_codes(root().key_pem) == ["key_in_trusted"]


def test_a_server_certificate_is_no_trusted_ca() -> None:
    """Basic constraints decide; the sentence says which CA is meant, or that the certificate is a server's own."""
    result = read_trusted([NamedFile("f", server().cert_pem)], NOW)
    assert isinstance(result, list)
    assert [problem.code for problem in result] == ["not_a_ca"]
    assert "Example Issuing CA" in result[0].message
    assert trusted_codes(self_signed("x.example.com", not_before=START).cert_pem) == ["not_a_ca"]


def test_several_cas_are_asked_for_one_by_one() -> None:
    """A bundle of CAs is refused with their names, and the same CA twice is one."""
    assert trusted_codes(root().cert_pem + middle().cert_pem) == ["several_certificates"]
    assert trusted(root().cert_pem, root().der()).pem == root().cert_pem

"""Reading the files of a request: what comes together, in which order, and what is refused."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.certificates import (
    MAX_BYTES,
    NamedFile,
    Problem,
    ServerBundle,
    Trusted,
    files_with_keys,
    read_server,
    read_trusted,
)
from bot.sandbox.pki import Authority, Issued, self_signed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = NOW - timedelta(days=10)
PARSER_WARNINGS = pytest.mark.filterwarnings("ignore::UserWarning")  # cryptography warns of odd serials and names


@cache
def root() -> Authority:
    return Authority.make("Example Root", not_before=START)


@cache
def middle() -> Authority:
    return root().intermediate("Example Issuing CA", not_before=START)


@cache
def server() -> Issued:
    return middle().issue("pbx.example.com", not_before=START)


def bundle(*parts: bytes, name: str = "f") -> ServerBundle:
    result = read_server([NamedFile(f"{name}{at}.pem", part) for at, part in enumerate(parts)], NOW)
    assert isinstance(result, ServerBundle), result
    return result


def refusals(result: ServerBundle | Trusted | list[Problem]) -> list[str]:
    """The codes of the problems; each problem must be a sentence that belongs to the files."""
    assert isinstance(result, list), result
    assert all(problem.field == "files" and len(problem.message) > 20 for problem in result)
    return [problem.code for problem in result]


def server_codes(*parts: bytes) -> list[str]:
    return refusals(read_server([NamedFile(f"f{at}", part) for at, part in enumerate(parts)], NOW))


def trusted_codes(*parts: bytes) -> list[str]:
    return refusals(read_trusted([NamedFile(f"f{at}", part) for at, part in enumerate(parts)], NOW))


def test_one_pem_is_put_in_order() -> None:
    """Key, root, intermediate and leaf in one file become leaf, intermediate, key, and the root is left out with a word."""
    result = bundle(server().key_pem + root().cert_pem + middle().cert_pem + server().cert_pem)
    assert result.public_pem == server().cert_pem + middle().cert_pem
    assert result.pem == result.public_pem + server().key_pem
    assert result.facts.sans == ("pbx.example.com",)
    assert [facts.subject for facts in result.chain] == ["CN=Example Issuing CA"]
    assert [warning for warning in result.warnings if "left out" in warning]
    assert result.key_files == ("f0.pem",)


def test_the_order_of_three_files_does_not_matter() -> None:
    """Certificate, chain and key give the same bundle in all six orders."""
    files = [
        NamedFile("a.crt", server().cert_pem),
        NamedFile("b.pem", middle().cert_pem),
        NamedFile("c.key", server().key_pem),
    ]
    results = [read_server(order, NOW) for order in itertools.permutations(files)]
    assert isinstance(results[0], ServerBundle)
    assert all(result == results[0] for result in results)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_how_the_parts_are_spread_over_files_does_not_matter(data: st.DataObject) -> None:
    """However leaf, two levels of CA, root and key are shuffled over one to three files, the same bundle comes out."""
    lower = lowest()
    parts = [lower.cert_pem, *(ca.cert_pem for ca in (deeper(), middle(), root())), lower.key_pem]
    shuffled = data.draw(st.permutations(parts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(parts)), min_size=2, max_size=2)))
    pieces = [b"".join(shuffled[a:b]) for a, b in itertools.pairwise([0, *cuts, len(parts)])]
    result = bundle(*[piece for piece in pieces if piece])
    assert result.pem == lower.cert_pem + deeper().cert_pem + middle().cert_pem + lower.key_pem


@cache
def deeper() -> Authority:
    return middle().intermediate("Example Sub CA", not_before=START)


@cache
def lowest() -> Issued:
    return deeper().issue("deep.example.com", not_before=START)


def test_der_is_converted() -> None:
    """A DER certificate, a DER chain and a DER key give the same bundle as PEM."""
    assert bundle(server().der(), middle().der(), server().key_der()).pem == server().bundle_pem


@pytest.mark.parametrize("form", ["legacy PEM", "legacy DER"])
def test_older_key_forms_become_pkcs8(form: str) -> None:
    """ "BEGIN EC PRIVATE KEY", and the same as DER, come out as unencrypted PKCS#8."""
    encoding = serialization.Encoding.PEM if form == "legacy PEM" else serialization.Encoding.DER
    key = server().key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    assert bundle(server().cert_pem + middle().cert_pem, key).pem == server().bundle_pem


@pytest.mark.parametrize(
    "dress",
    [
        lambda pem: b"\xef\xbb\xbf" + pem,
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: pem.replace(b"\n", b"\r"),
        lambda pem: b"Bag Attributes\n    friendlyName: pbx\nsubject=CN = x\n" + pem + b"\ntrailing words: \xff\xfe\n",
        lambda pem: b"<html><body><pre>" + pem + b"</pre></body></html>",
        lambda pem: b"\n".join(b"   " + line for line in pem.splitlines()),
        lambda pem: b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + pem,
    ],
    ids=["BOM", "CRLF", "CR", "text around", "in a web page", "indented", "EC parameters"],
)
def test_oddities_around_pem_are_read_through(dress: object) -> None:
    """A BOM, other line ends, text around the blocks and indentation change nothing."""
    assert callable(dress)
    assert bundle(dress(server().bundle_pem)).pem == server().bundle_pem


def test_duplicates_are_merged_silently() -> None:
    """The same certificate and key twice, also as DER, are one, and both files with the key are named."""
    once = bundle(server().bundle_pem)
    twice = bundle(server().bundle_pem, server().der(), server().key_pem)
    assert (twice.pem, twice.warnings) == (once.pem, once.warnings)
    assert twice.key_files == ("f0.pem", "f2.pem")


def test_secrets_are_not_shown() -> None:
    """The repr of a file, a bundle or the contents shows no byte of the key."""
    file = NamedFile("k.key", server().key_pem)
    secret = server().key_pem.splitlines()[1].decode()
    assert secret not in repr(file) + repr(bundle(server().bundle_pem))


def test_no_file_too_many_files_and_too_many_bytes_are_refused_unread() -> None:
    """The bounds are one to three files and one megabyte in sum, for both kinds."""
    assert server_codes() == ["no_file"] == trusted_codes()
    assert server_codes(*[server().bundle_pem] * 4) == ["too_many_files"]
    half = server().bundle_pem + b"#" * (MAX_BYTES // 2)
    assert server_codes(half, half) == ["files_too_large"] == trusted_codes(half, half)
    assert files_with_keys([NamedFile("a", half), NamedFile("b", half)]) == ()


def test_exactly_one_megabyte_is_read() -> None:
    """The bound itself is allowed."""
    assert bundle(server().bundle_pem.ljust(MAX_BYTES, b"\n")).pem == server().bundle_pem


def test_a_naive_now_is_refused() -> None:
    """A time without a zone is a mistake of the caller, not of the person."""
    with pytest.raises(ValueError, match="aware"):
        read_server([NamedFile("f", server().bundle_pem)], NOW.replace(tzinfo=None))


def test_a_missing_key_or_certificate_is_named() -> None:
    """A certificate alone lacks its key, and a key alone lacks its certificate."""
    assert server_codes(server().cert_pem) == ["no_key"]
    assert server_codes(server().key_pem) == ["no_certificate"]
    assert server_codes(server().csr_pem()) == ["signing_request", "no_key"]
    assert server_codes(server().cert_pem, server().csr_pem()) == ["no_key"]
    assert server_codes(server().cert_pem, server().public_key_pem()) == ["public_key", "no_key"]


def test_all_problems_come_at_once() -> None:
    """An expired certificate under an encrypted key brings both sentences."""
    old = middle().issue("old.example.com", not_before=NOW - timedelta(days=91), days=90)
    assert server_codes(old.cert_pem, old.encrypted_key_pem("x")) == ["encrypted_key", "expired"]


def test_a_key_that_does_not_match_is_named_with_its_certificate() -> None:
    """The sentence names the key's file and kind and the certificate's subject."""
    other = middle().issue("other.example.com", not_before=START)
    files = [NamedFile("pbx.crt", server().cert_pem), NamedFile("other.key", other.key_pem)]
    result = read_server(files, NOW)
    assert refusals(result) == ["key_mismatch"]
    assert isinstance(result, list)
    assert all(word in result[0].message for word in ("other.key", "EC P-256", "CN=pbx.example.com"))


def test_the_key_of_the_ca_is_not_taken_for_the_servers() -> None:
    """With leaf, CA and the CA's key, the mismatch says whose key it is."""
    result = read_server([NamedFile("f", server().cert_pem + middle().cert_pem + middle().key_pem)], NOW)
    assert refusals(result) == ["key_mismatch"]
    assert isinstance(result, list)
    assert "the key of the CA “CN=Example Issuing CA”" in result[0].message


def test_several_keys_are_refused() -> None:
    """Two different keys are a problem even where one of them fits."""
    assert server_codes(server().bundle_pem, lowest().key_pem) == ["several_keys"]


def test_several_leaves_are_refused() -> None:
    """Old and new certificate for one key, or two servers' certificates, are not chosen from."""
    again = middle().issue("pbx.example.com", not_before=START, key=server().key)
    assert server_codes(server().bundle_pem, again.cert_pem) == ["several_certificates"]
    assert server_codes(server().bundle_pem, lowest().cert_pem) == ["several_certificates"]
    assert server_codes(server().cert_pem, lowest().cert_pem) == ["no_key", "several_certificates"]


@pytest.mark.parametrize(("days_off", "expected"), [(-91, "expired"), (1, "not_yet_valid")])
def test_a_certificate_outside_its_validity_is_refused(days_off: int, expected: str) -> None:
    """Expired and not yet valid are problems for both kinds."""
    start = NOW + timedelta(days=days_off)
    assert server_codes(self_signed("a.example.com", not_before=start, days=90).bundle_pem) == [expected]
    assert trusted_codes(Authority.make("CA", not_before=start, days=90).cert_pem) == [expected]


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_last_second_counts_as_expired(seconds: int) -> None:
    """One second before its end a certificate is taken; from its end on it is not."""
    ca = Authority.make("CA", not_before=NOW - timedelta(days=1), days=1)
    result = read_trusted([NamedFile("f", ca.cert_pem)], NOW + timedelta(seconds=seconds))
    assert isinstance(result, Trusted) is (seconds < 0)


def test_a_flood_of_certificates_is_refused() -> None:
    """More certificates than a chain can have are a problem, and beyond 200 blocks or 5 keys in a file nothing is read."""
    key = ec.generate_private_key(ec.SECP256R1())
    many = b"".join(Authority.make(f"CA {at}", not_before=START, key=key).cert_pem for at in range(21))
    assert server_codes(server().bundle_pem, many) == ["too_many_certificates"]
    assert server_codes(server().key_pem, server().cert_pem * 201) == ["too_many_certificates"]
    assert server_codes(server().cert_pem, server().key_pem * 6) == ["too_many_certificates"]
    assert bundle(server().key_pem * 5, (server().cert_pem + middle().cert_pem) * 100).pem == server().bundle_pem


def test_files_that_held_a_key_are_named_whether_taken_or_not() -> None:
    """Plain and encrypted keys, PKCS#12 and OpenSSH keys count; certificates do not."""
    opened = server().key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    parts = {
        "plain": server().key_pem,
        "encrypted": server().encrypted_key_pem("x"),
        "p12": server().pkcs12("x"),
        "ssh": opened,
        "certificate": server().cert_pem,
    }
    files = [NamedFile(name, content) for name, content in parts.items()]
    assert files_with_keys(files) == ("encrypted", "p12", "plain", "ssh")


@PARSER_WARNINGS
@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=400), min_size=1, max_size=3), st.booleans())
def test_any_bytes_give_an_answer(contents: list[bytes], armour: bool) -> None:
    """Whatever the bytes, also behind a PEM mark or a DER header, problems come out and nothing is raised."""
    prefix = b"-----BEGIN CERTIFICATE-----\n" if armour else b"\x30\x82"
    files = [NamedFile("f", prefix + content) for content in contents] + [NamedFile("g", contents[0])][: 3 - len(contents)]
    assert refusals(read_server(files, NOW))
    assert refusals(read_trusted(files, NOW))


@PARSER_WARNINGS
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_certificate_or_key_gives_an_answer(data: st.DataObject) -> None:
    """A byte changed anywhere in a certificate, key, PKCS#12 or PKCS#7 never raises."""
    whole = data.draw(st.sampled_from([server().der(), server().key_der(), root().der(), server().pkcs7_der()]))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    files = [NamedFile("a", damaged), NamedFile("b", server().key_pem)]
    assert isinstance(read_server(files, NOW), ServerBundle | list)
    assert isinstance(read_trusted(files[:1], NOW), Trusted | list)


def test_a_file_of_marks_is_read_in_one_pass() -> None:
    """A megabyte of BEGIN lines is answered like any other damaged file (a test that hangs runs into its time limit)."""
    assert "too_many_certificates" in server_codes(b"-----BEGIN CERTIFICATE-----\n" * 34_000)

"""What is recognised but not taken, and the commands that convert it: run for real where the tools are installed."""

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from bot.domain.armour import armoured, blocks
from bot.domain.certificates import NamedFile, Problem, ServerBundle, Trusted, read_server, read_trusted
from bot.domain.formats import Foreign, Format, Wanted, advice, conversion
from bot.sandbox.pki import Authority, Issued

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = NOW - timedelta(days=1)
DER = serialization.Encoding.DER
PEM = serialization.Encoding.PEM
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@cache
def server() -> Issued:
    ca = Authority.make("Example Root", not_before=START).intermediate("Example CA", not_before=START)
    return ca.issue("pbx.example.com", not_before=START, key="rsa2048")


def openssh_key(password: str | None = None) -> bytes:
    protection = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return server().key.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, protection)


def encrypted_der() -> bytes:
    protection = serialization.BestAvailableEncryption(b"secret")
    return server().key.private_bytes(DER, serialization.PrivateFormat.PKCS8, protection)


def zipped() -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("pbx.crt", server().cert_pem)
    return archive.getvalue()


def csr_der() -> bytes:
    return next(block.der for block in blocks(server().csr_pem()) if block.der)


def public_key_der() -> bytes:
    return server().key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


FILES: dict[str, tuple[Callable[[], bytes], Format]] = {
    "empty": (lambda: b"", Format.EMPTY),
    "only spaces": (lambda: b" \r\n\t", Format.EMPTY),
    "only a BOM": (lambda: b"\xef\xbb\xbf", Format.EMPTY),
    "login page": (lambda: b"\n<!DOCTYPE html><html><body>Sign in</body></html>", Format.HTML),
    "UTF-16 with BOM": (lambda: server().cert_pem.decode().encode("utf-16"), Format.UTF16),
    "UTF-16 without BOM": (lambda: server().cert_pem.decode().encode("utf-16-le"), Format.UTF16),
    "UTF-16 big-endian": (lambda: server().cert_pem.decode().encode("utf-16-be"), Format.UTF16),
    "ZIP": (zipped, Format.ZIP),
    "cut before END": (lambda: server().cert_pem[:-20], Format.DAMAGED),
    "cut after BEGIN": (lambda: server().cert_pem[20:], Format.DAMAGED),
    "not base64": (lambda: server().cert_pem.replace(b"MII", b"M*I", 1), Format.DAMAGED),
    "not X.509": (lambda: armoured("CERTIFICATE", b"\x30\x03\x02\x01\x05"), Format.UNREADABLE_CERTIFICATE),
    "key cut short": (lambda: armoured("PRIVATE KEY", server().key_der()[:-9]), Format.UNREADABLE_KEY),
    "key far too long": (lambda: armoured("PRIVATE KEY", server().key_der() + bytes(9_000)), Format.UNREADABLE_KEY),
    "encrypted PKCS#8": (lambda: server().encrypted_key_pem("secret"), Format.ENCRYPTED_KEY),
    "Proc-Type": (lambda: server().encrypted_key_pem("secret", legacy=True), Format.ENCRYPTED_KEY),
    "encrypted DER": (encrypted_der, Format.ENCRYPTED_KEY_DER),
    "OpenSSH": (openssh_key, Format.OPENSSH_KEY),
    "PuTTY": (lambda: b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", Format.PUTTY_KEY),
    "PKCS#12": (lambda: server().pkcs12("secret"), Format.PKCS12),
    "PKCS#7 PEM": (lambda: server().pkcs7_pem(), Format.PKCS7_PEM),
    "PKCS#7 DER": (lambda: server().pkcs7_der(), Format.PKCS7_DER),
    "PKCS#7 as CERTIFICATE": (lambda: armoured("CERTIFICATE", server().pkcs7_der()), Format.PKCS7_PEM),
    "Java key store": (lambda: b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(40), Format.JAVA_KEYSTORE),
    "OpenSSL trusted": (lambda: armoured("TRUSTED CERTIFICATE", server().der()), Format.OPENSSL_TRUSTED),
    "CSR": (lambda: server().csr_pem(), Format.REQUEST),
    "CSR in DER": (csr_der, Format.REQUEST),
    "public key": (lambda: server().public_key_pem(), Format.PUBLIC_KEY),
    "public key in DER": (public_key_der, Format.PUBLIC_KEY),
    "authorized_keys": (lambda: b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA ana@example", Format.PUBLIC_KEY),
    "PGP": (lambda: armoured("PGP PUBLIC KEY BLOCK", b"x"), Format.OTHER_PEM),
    "words": (lambda: b"please add our certificate", Format.UNKNOWN),
    "DER of something else": (lambda: b"\x30\x03\x02\x01\x05", Format.UNKNOWN),
}


@pytest.mark.parametrize("name", FILES)
def test_each_format_is_recognised(name: str) -> None:
    """A file of this kind alone brings the sentence of its kind, with its name, first of all."""
    make, found = FILES[name]
    result = read_server([NamedFile("given.bin", make())], NOW)
    assert isinstance(result, list)
    assert result[0] == advice(Foreign("given.bin", found), "server")
    assert "given.bin" in result[0].message


def test_every_format_has_its_sentence_without_gaps() -> None:
    """No format is without advice, and no placeholder is left open in any, for both kinds of request."""
    kinds: tuple[Wanted, ...] = ("server", "trusted")
    for found in Format:
        for wanted in kinds:
            problem = advice(Foreign("my file.bin", found), wanted)
            assert "my file.bin" in problem.message
            assert not {"{", "}"} & set(problem.message)
            assert ": ." not in problem.message
            assert problem.code == str(problem)[:-1].rpartition("[")[2]


def test_trusted_files_get_the_command_without_a_key() -> None:
    """From a PKCS#12 container only the CA certificates are taken for a trusted CA."""
    result = read_trusted([NamedFile("ca.p12", server().pkcs12("secret"))], NOW)
    assert isinstance(result, list)
    assert [problem.code for problem in result] == ["pkcs12"]
    assert "-cacerts -nokeys" in result[0].message


def test_harmless_company_is_left_out_and_said() -> None:
    """A signing request and a public key beside certificate and key are a warning, no problem."""
    files = [NamedFile("all.pem", server().bundle_pem), NamedFile("extra", server().csr_pem() + server().public_key_pem())]
    result = read_server(files, NOW)
    assert isinstance(result, ServerBundle)
    assert [warning for warning in result.warnings if "extra" in warning and "signing request" in warning]


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("my cert.pfx", "'my cert.pfx'"),
        ("$(rm -rf ~).pfx", "'$(rm -rf ~).pfx'"),
        ("it's.pfx", """'it'"'"'s.pfx'"""),
        ("-out.pfx", "./-out.pfx"),
        ("a`id`.pfx", "FILE"),
        ("line\nbreak.pfx", "FILE"),
        ("../up.pfx", "FILE"),
        ("", "FILE"),
    ],
)
def test_file_names_are_safe_in_a_shell(name: str, quoted: str) -> None:
    """A name is one word to the shell and no option to the command, or it is replaced by an example."""
    assert f"-in {quoted} -nodes" in conversion(Foreign(name, Format.PKCS12), "server")


def run(command: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, capture_output=True, timeout=60)


def converted(content: bytes, folder: Path, name: str, answers: str = "", wanted: Wanted = "server") -> bytes:
    """What comes out of the command in the problem, run in a shell on the file."""
    make = read_server if wanted == "server" else read_trusted
    problems = make([NamedFile(name, content)], NOW)
    assert isinstance(problems, list)
    command = next(foreign for foreign in recognised(problems, name, wanted) if foreign)
    (folder / name).write_bytes(content)
    run(command + answers, folder)
    (made,) = [path for path in folder.iterdir() if path.name != name]
    return made.read_bytes()


def recognised(problems: list[Problem], name: str, wanted: Wanted) -> list[str]:
    """The commands of all formats whose whole sentence is among the problems."""
    foreign = [Foreign(name, found) for found in Format]
    return [conversion(each, wanted) for each in foreign if advice(each, wanted) in problems]


@needs_openssl
@pytest.mark.parametrize("legacy", [False, True])
def test_the_command_for_encrypted_keys_works(tmp_path: Path, legacy: bool) -> None:
    """openssl removes the password from a PKCS#8 and from a Proc-Type key, and the result is taken."""
    key = converted(server().encrypted_key_pem("secret", legacy=legacy), tmp_path, "my key.pem", " -passin pass:secret")
    assert isinstance(read_server([NamedFile("c", server().cert_pem), NamedFile("k", key)], NOW), ServerBundle)


@needs_openssl
def test_the_command_for_encrypted_der_keys_works(tmp_path: Path) -> None:
    """openssl removes the password from a DER key."""
    key = converted(encrypted_der(), tmp_path, "key.der", " -passin pass:secret")
    assert isinstance(read_server([NamedFile("c", server().cert_pem), NamedFile("k", key)], NOW), ServerBundle)


@needs_openssl
def test_the_command_for_pkcs12_gives_all_that_a_server_needs(tmp_path: Path) -> None:
    """Certificate, chain and key come out of the container in one file that is taken as it is."""
    made = converted(server().pkcs12("secret"), tmp_path, "pbx (1).pfx", " -passin pass:secret")
    result = read_server([NamedFile("made.pem", made)], NOW)
    assert isinstance(result, ServerBundle)
    assert result.pem == server().bundle_pem


@needs_openssl
def test_the_command_for_pkcs12_gives_a_trusted_ca_alone(tmp_path: Path) -> None:
    """Of a container with one CA the trusted form of the command makes a file that is taken."""
    ca = Authority.make("Example Root", not_before=START)
    box = pkcs12.serialize_key_and_certificates(b"ca", None, None, [ca.cert], serialization.BestAvailableEncryption(b"secret"))
    made = converted(box, tmp_path, "ca.p12", " -passin pass:secret", "trusted")
    assert isinstance(read_trusted([NamedFile("made.pem", made)], NOW), Trusted)


@needs_openssl
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_the_command_for_pkcs7_gives_the_chain(tmp_path: Path, form: str) -> None:
    """Certificate and chain come out of PKCS#7, and with the key they are the bundle."""
    content = server().pkcs7_pem() if form == "PEM" else server().pkcs7_der()
    made = converted(content, tmp_path, "chain.p7b")
    result = read_server([NamedFile("made", made), NamedFile("key", server().key_pem)], NOW)
    assert isinstance(result, ServerBundle)
    assert result.pem == server().bundle_pem


@needs_openssl
def test_the_command_for_openssls_trusted_form_works(tmp_path: Path) -> None:
    """openssl writes its trusted form, and the command makes a plain certificate of it again."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "plain.pem").write_bytes(server().cert_pem)
    run("openssl x509 -in plain.pem -addtrust serverAuth -trustout -out trusted.pem", tmp_path / "in")
    content = (tmp_path / "in" / "trusted.pem").read_bytes()
    (tmp_path / "out").mkdir()
    assert converted(content, tmp_path / "out", "trusted.pem") == server().cert_pem


@needs_ssh
def test_the_command_for_openssh_keys_works(tmp_path: Path) -> None:
    """ssh-keygen converts a copy, and the original stays as it was."""
    original = openssh_key()
    key = converted(original, tmp_path, "id rsa")
    assert (tmp_path / "id rsa").read_bytes() == original
    result = read_server([NamedFile("c", server().cert_pem), NamedFile("k", key)], NOW)
    assert isinstance(result, ServerBundle)
    assert result.pem.endswith(server().key_pem)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not installed")
def test_the_command_for_utf16_works(tmp_path: Path) -> None:
    """iconv makes readable text of UTF-16."""
    assert converted(server().cert_pem.decode().encode("utf-16"), tmp_path, "c.pem") == server().cert_pem


def test_fingerprints_are_those_of_the_certificate() -> None:
    """What was converted from DER has the fingerprint that any other tool shows for it."""
    result = read_server([NamedFile("all", server().bundle_pem)], NOW)
    assert isinstance(result, ServerBundle)
    assert result.facts.sha256 == server().cert.fingerprint(hashes.SHA256()).hex(":").upper()

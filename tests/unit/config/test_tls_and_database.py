"""How the PBX proves who it is, and where the database is."""

import datetime
import importlib.util
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.config.files import MINIMAL, Faults, Load, edited


def ca_file(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test CA")])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + datetime.timedelta(days=3650))
    certificate = builder.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


class TestTls:
    FINGERPRINT = "AB:" * 31 + "ab"

    def tls(self, written: str) -> str:
        return edited('"client"', f'"client"\ntls = "{written}"')

    def test_fingerprint(self, loaded: Load) -> None:
        """A fingerprint is kept in one spelling, however its case and colons were."""
        for written in (f"sha256:{self.FINGERPRINT}", f"SHA256:{'ab' * 32}"):
            assert loaded(self.tls(written)).pbx[0].tls == "sha256:" + "ab" * 32

    @pytest.mark.parametrize("written", ["sha256:", "sha256:abcd", "sha256:" + "zz" * 32, "sha256:" + "ab" * 33])
    def test_no_fingerprint(self, faults: Faults, written: str) -> None:
        """A fingerprint of any other length or alphabet is refused."""
        [line] = faults(self.tls(written))
        assert line.startswith("pbx[0].tls: has no SHA-256 fingerprint")

    def test_ca_file(self, loaded: Load, tmp_path: Path) -> None:
        """A CA file is found beside the configuration and kept by its absolute path."""
        ca_file(tmp_path / "hq-ca.pem")
        assert loaded(self.tls("hq-ca.pem")).pbx[0].tls == str((tmp_path / "hq-ca.pem").resolve())

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("none.pem", 'must be "system", "sha256:<fingerprint>" or a CA file, which cannot be read: No such file'),
            ("off", 'must be "system", "sha256:<fingerprint>" or a CA file, which cannot be read: No such file'),
            ("", 'must be "system", "sha256:<fingerprint>" or a CA file, which cannot be read: '),
            ("a\\u0000b", 'must be "system", "sha256:<fingerprint>" or a CA file, which cannot be read: this is not a path'),
            ("config.toml", "the file that is named here holds no CA certificate in PEM form"),
        ],
    )
    def test_no_ca_file(self, faults: Faults, written: str, told: str) -> None:
        """What cannot be read, or holds no certificate, is refused; there is no way to switch TLS off."""
        [line] = faults(self.tls(written))
        assert line.startswith(f"pbx[0].tls: {told}")


class TestTheDatabase:
    def database(self, url: str) -> str:
        return f"[database]\nurl = {url}\n{MINIMAL}"

    def test_by_env(self, loaded: Load) -> None:
        """A database URL can come from the environment like a secret, and is not shown."""
        config = loaded(self.database('{ env = "DB" }'), DB="sqlite:////var/lib/bot/secret.db")
        assert config.database.url == "sqlite:////var/lib/bot/secret.db"
        assert "secret.db" not in repr(config) + str(config) + config.model_dump_json()

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ('"postgresql+psycopg://bot:hunter2@db/bot"', "holds a password, so it must be { env"),
            ('"mysql://db/bot"', "must begin with sqlite:/// or postgresql+psycopg://"),
            ('"sqlite://"', "must name a file: a database in memory forgets"),
            ('"sqlite:///:memory:"', "must name a file: a database in memory forgets"),
            ('"pbx-cert-bot.db"', "is not a database URL"),
            ("1", 'must be { env = "NAME" }'),
        ],
    )
    def test_refused(self, faults: Faults, url: str, told: str) -> None:
        """A URL with a password in plain text, another database, or one in memory is refused."""
        [line] = faults(self.database(url))
        assert line.startswith(f"database.url: {told}")
        assert "hunter2" not in line

    def test_driver(self, loaded: Load, faults: Faults) -> None:
        """PostgreSQL is accepted where its driver is installed; elsewhere the missing package is named."""
        text = self.database('{ env = "DB" }')
        url = "postgresql+psycopg://bot:hunter2@db/bot"
        if importlib.util.find_spec("psycopg"):
            assert loaded(text, DB=url).database.url == url
        else:
            assert faults(text, DB=url) == ["database.url: needs the Python package psycopg, which cannot be imported here"]

"""Secrets come by env or by file, and are never shown."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import load
from bot.config.models import SLACK_ENVIRONMENT
from bot.exceptions import ConfigError
from tests.unit.config.files import ENVIRON, MINIMAL, Faults, Load, edited


class TestSecrets:
    def test_from_a_file(self, loaded: Load, tmp_path: Path) -> None:
        """A secret's file is looked for beside the configuration, and the newline at its end is no part of it."""
        (tmp_path / "hq.secret").write_bytes(b" two words \r\n")
        config = loaded(edited('{ env = "HQ_CLIENT_SECRET" }', '{ file = "hq.secret" }'))
        assert config.pbx[0].client_secret.get_secret_value() == " two words "

    @pytest.mark.parametrize(
        "given",
        ['"plain"', "1", "{}", '{ env = "" }', '{ env = "A", file = "b" }', "{ env = 1 }", '{ vault = "x" }', "[]"],
    )
    def test_only_by_env_or_file(self, faults: Faults, given: str) -> None:
        """A secret that is not given by env or by file is refused with a sentence that says how to give it."""
        assert faults(edited('{ env = "HQ_CLIENT_SECRET" }', given)) == [
            'pbx[0].client_secret: must be { env = "NAME" } or { file = "PATH" }; a secret is never written into this file'
        ]

    @pytest.mark.parametrize("key", ["AccessKeySecret", "APIKey", "Password", "AuthToken", "TSIGKey", "api_key"])
    def test_plain_dns_secrets(self, faults: Faults, key: str) -> None:
        """A DNS parameter that is a secret by its name is refused as plain text."""
        [line] = faults(MINIMAL + f'[[dns]]\nname = "corp"\nprovider = "x"\n{key} = "hunter2"\n')
        assert line.startswith(f'dns[0].{key}: must be {{ env = "NAME" }} or')

    @pytest.mark.parametrize("key", ["AccessKeyId", "OIDCTokenFilePath", "PublicKey", "Region", "TokenURL"])
    def test_plain_dns_parameters(self, loaded: Load, key: str) -> None:
        """A DNS parameter that is not a secret by its name may be plain text."""
        profile = loaded(MINIMAL + f'[[dns]]\nname = "corp"\nprovider = "x"\n{key} = "plain"\n').dns[0]
        assert profile.values() == {key: "plain"}

    def test_plain_private_key(self, faults: Faults) -> None:
        """A private key as plain text is refused whatever its parameter is called."""
        pem = "-----BEGIN EC PRIVATE KEY-----"
        [line] = faults(MINIMAL + f'[[dns]]\nname = "corp"\nprovider = "x"\nAnything = "{pem}"\n')
        assert line.startswith("dns[0].Anything: must be { env")

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "cannot be read: No such file or directory (it is looked for from "),
            (b"\n", "is empty"),
            (b"\xff\xfe", "cannot be read: it is not UTF-8 text"),
        ],
    )
    def test_unusable_file(self, faults: Faults, tmp_path: Path, content: bytes | None, told: str) -> None:
        """A secret's file that is missing, empty or no text is told with what is wrong with it."""
        if content is not None:
            (tmp_path / "hq.secret").write_bytes(content)
        [line] = faults(edited('{ env = "HQ_CLIENT_SECRET" }', '{ file = "hq.secret" }'))
        assert line.startswith(f"pbx[0].client_secret: the file that is named here {told}")

    def test_absolute_path(self, faults: Faults, tmp_path: Path) -> None:
        """Where a file is looked for is only told of a relative path, and no path is repeated."""
        [line] = faults(edited('{ env = "HQ_CLIENT_SECRET" }', f'{{ file = "{tmp_path}/none" }}'))
        assert line.endswith("the file that is named here cannot be read: No such file or directory")

    def test_secret_instead_of_a_name(self, faults: Faults) -> None:
        """A secret that was written where the name of its variable belongs is not repeated."""
        [line] = faults(edited("HQ_CLIENT_SECRET", "hunter2"))
        assert line == "pbx[0].client_secret: the environment variable that is named here is not set"

    @pytest.mark.parametrize("name", [".", "a\\u0000b"])
    def test_no_file_at_all(self, faults: Faults, name: str) -> None:
        """A folder, or what cannot be a path, in the place of a secret's file is a mistake like any other."""
        [line] = faults(edited('{ env = "HQ_CLIENT_SECRET" }', f'{{ file = "{name}" }}'))
        assert line.startswith("pbx[0].client_secret: the file ")
        assert "cannot be read: " in line

    @pytest.mark.parametrize("value", ["", None])
    def test_unset_variable(self, tmp_path: Path, value: str | None) -> None:
        """A variable that is not set, or set to nothing, is named."""
        path = tmp_path / "config.toml"
        path.write_text(MINIMAL, "utf-8")
        environ = {name: text for name, text in ENVIRON.items() if name != "SLACK_BOT_TOKEN"}
        with pytest.raises(ConfigError, match=r"slack\.bot_token \(SLACK_BOT_TOKEN\): .* is not set$"):
            load(path, environ if value is None else environ | {"SLACK_BOT_TOKEN": value})

    @pytest.mark.parametrize(
        ("variable", "value", "prefix"),
        [
            ("SLACK_BOT_TOKEN", "xapp-secret", "xoxb-"),
            ("SLACK_APP_TOKEN", "xoxb-secret", "xapp-"),
            ("SLACK_BOT_TOKEN", "xoxb-secret\n", "xoxb-"),
        ],
    )
    def test_wrong_token(self, faults: Faults, variable: str, value: str, prefix: str) -> None:
        """Tokens of Slack that were swapped or are broken are told apart by how they begin, and are not shown."""
        [line] = faults(MINIMAL, **{variable: value})
        assert f"({variable}): must hold a token that begins with {prefix}" in line
        assert "secret" not in line

    @pytest.mark.parametrize("field", SLACK_ENVIRONMENT)
    def test_slack_settings_in_the_file(self, faults: Faults, field: str) -> None:
        """What Slack's environment variables hold must not be in the file."""
        assert faults(edited('"C01CERTS"', f'"C01CERTS"\n{field} = "xoxb-secret"')) == [
            f"slack.{field}: is taken from the environment variable {SLACK_ENVIRONMENT[field]} only; remove it here"
        ]


class TestTheKey:
    RAW = bytes(range(220, 252))

    @pytest.mark.parametrize(
        "text",
        [
            RAW.hex(),
            RAW.hex().upper(),
            "3N3e3-Dh4uPk5ebn6Onq6-zt7u_w8fLz9PX29_j5-vs",
            "3N3e3-Dh4uPk5ebn6Onq6-zt7u_w8fLz9PX29_j5-vs=",
            "3N3e3+Dh4uPk5ebn6Onq6+zt7u/w8fLz9PX29/j5+vs=",
        ],
    )
    def test_spellings(self, loaded: Load, text: str) -> None:
        """The key is the same 32 bytes in hex and in either base64, padded or not."""
        assert loaded(MINIMAL, PBX_CERT_BOT_KEY=text).secrets.key_bytes() == self.RAW

    @pytest.mark.parametrize("text", ["correct horse battery staple", "ab" * 31, "A" * 44, "A" * 42, "é" * 43])
    def test_anything_else(self, faults: Faults, text: str) -> None:
        """Anything but 32 bytes is refused with the command that makes a key, and is not shown."""
        [line] = faults(MINIMAL, PBX_CERT_BOT_KEY=text)
        assert line.startswith("secrets.key: must hold 32 bytes as base64 or as 64 hex digits; make such a key with: ")
        assert line.endswith('python -c "import secrets; print(secrets.token_urlsafe(32))"')
        assert text not in line


class TestNothingSecretIsShown:
    def test_repr_and_dump(self, loaded: Load) -> None:
        """No secret is in any way of printing a loaded configuration."""
        dns = '[[dns]]\nname = "corp"\nprovider = "alidns"\nAccessKeyId = { env = "ALI_ID" }\n'
        config = loaded(MINIMAL + dns, SLACK_SIGNING_SECRET="secret-of-slack")
        shown = f"{config!r} {config} {config.model_dump()} {config.model_dump_json()} {config.pbx[0]!r} {config.dns}"
        assert "secret-" not in shown
        assert ENVIRON["PBX_CERT_BOT_KEY"] not in shown
        assert "**********" in shown

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        secret=st.from_regex(r"\AZq[A-Za-z0-9]{8,20}\Z"),
        place=st.sampled_from(
            [
                '[secrets]\nkey = "{}"\n',
                '[slack]\nchannel = "{}"\noperators = ["{}"]\npending_for = "{}"\nbot_token = "{}"\n',
                '[[pbx]]\nname = "hq/{}"\nurl = "https://a:{}@b"\nclient_id = 1\nclient_secret = "{}"\ntls = "{}"\n',
                '[[pbx]]\nclient_secret = { env = "{}" }\n[[dns]]\nTTL = { file = "{}" }\n',
                '[[pbx]]\nrequesters = "{}"\napprovers = ["{}"]\napprovals = "{}"\n',
                '[[dns]]\nname = ["{}"]\nprovider = "{}"\nAPIKey = "{}"\nTTL = ["{}"]\n',
                '[database]\nurl = "postgresql://u:{}@h/d"\n',
                "x = {}\n",
            ]
        ),
    )
    def test_mistaken_places(self, faults: Faults, secret: str, place: str) -> None:
        """A secret written into the file by mistake, wherever it may be, is in no line of the error."""
        found = faults(place.replace("{}", secret), SLACK_APP_TOKEN=secret, PBX_CERT_BOT_KEY=secret)
        assert found
        assert secret not in "\n".join(found)

    def test_no_trace_in_the_error(self, loaded: Load) -> None:
        """The error carries no other exception along in which a value could be read."""
        with pytest.raises(ConfigError) as caught:
            loaded(edited('{ env = "HQ_CLIENT_SECRET" }', '"hunter2"'))
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.args}"

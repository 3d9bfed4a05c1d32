"""What a file may say, and what becomes of it."""

import datetime

import pytest
from pydantic import SecretStr, ValidationError

from tests.unit.config.files import MINIMAL, Load, edited, second_pbx


class TestAGoodFile:
    def test_minimal(self, loaded: Load) -> None:
        """Everything that is optional has the default that the example names."""
        config = loaded(MINIMAL)
        assert config.database.url == "sqlite:///pbx-cert-bot.db"
        assert config.slack.pending_for == datetime.timedelta(hours=8)
        assert (config.slack.allow_typed_dns_credentials, config.slack.operators) == (False, ())
        assert config.slack.signing_secret is None
        assert config.slack.api_url == "https://slack.com/api/"
        assert config.slack.bot_token.get_secret_value() == "xoxb-secret-of-bot"
        assert config.slack.app_token.get_secret_value() == "xapp-secret-of-app"
        assert (config.pbx[0].tls, config.pbx[0].requesters, config.pbx[0].approvals) == ("system", (), 1)
        assert config.pbx[0].client_secret.get_secret_value() == "secret-of-hq"
        assert config.dns == ()

    def test_channel_of_a_pbx(self, loaded: Load) -> None:
        """A PBX without a channel of its own has Slack's default channel."""
        config = loaded(second_pbx(channel='"C09LAB"'))
        assert [pbx.channel for pbx in config.pbx] == ["C01CERTS", "C09LAB"]

    def test_operators(self, loaded: Load) -> None:
        """Trouble with a PBX is for its approvers, unless operators are named."""
        config = loaded(second_pbx())
        assert [config.operators_of(pbx) for pbx in config.pbx] == [("U02LEAD",), ("S01LEADS",)]
        named = loaded(edited('"C01CERTS"', '"C01CERTS"\noperators = ["S07OPS"]'))
        assert named.operators_of(named.pbx[0]) == ("S07OPS",)

    def test_names_in_any_case(self, loaded: Load) -> None:
        """A PBX or a DNS profile is found by its name in whatever case somebody types it; others are not found."""
        config = loaded(MINIMAL + '[[dns]]\nname = "Corp"\nprovider = "manual"\n')
        assert config.pbx_named("HQ") is config.pbx[0]
        assert config.dns_named("corp") is config.dns[0]
        assert config.pbx_named("branch") is None
        assert config.dns_named("branch") is None

    def test_dns_parameters(self, loaded: Load) -> None:
        """A DNS profile keeps each parameter's type, hides those given by env, and gives all of them back in clear."""
        dns = '[[dns]]\nname = "corp"\nprovider = "alidns"\nAccessKeySecret = { env = "ALI_SECRET" }\n'
        profile = loaded(MINIMAL + dns + 'TTL = 300\nSandbox = true\nRegion = "eu"\nparams = "p"\n').dns[0]
        assert profile.params["AccessKeySecret"] == SecretStr("secret-of-ali")
        assert profile.values() == {
            "AccessKeySecret": "secret-of-ali",
            "TTL": 300,
            "Sandbox": True,
            "Region": "eu",
            "params": "p",
        }
        assert profile.values()["Sandbox"] is True

    def test_nothing_changes_after_loading(self, loaded: Load) -> None:
        """Neither a field nor a DNS parameter of a loaded configuration can be changed."""
        config = loaded(MINIMAL + '[[dns]]\nname = "corp"\nprovider = "manual"\nTTL = 300\n')
        with pytest.raises(ValidationError):
            config.slack.channel = "C99"  # type: ignore[misc]
        with pytest.raises(TypeError):
            config.dns[0].params["TTL"] = 1  # type: ignore[index]

    def test_byte_order_mark(self, loaded: Load) -> None:
        """A file saved by an editor that begins it with a byte order mark is read all the same."""
        assert loaded("\ufeff" + MINIMAL).pbx[0].name == "hq"

    @pytest.mark.parametrize(("text", "minutes"), [("8h", 480), ("90m", 90), ("2d", 2880), ("1h30m", 90), ("1d2h3m", 1563)])
    def test_times(self, loaded: Load, text: str, minutes: int) -> None:
        """A time is written in days, hours and minutes."""
        config = loaded(edited('"C01CERTS"', f'"C01CERTS"\npending_for = "{text}"'))
        assert config.slack.pending_for == datetime.timedelta(minutes=minutes)

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("https://pbx.example.com/", "https://pbx.example.com"),
            ("HTTPS://PBX.Example.com:8088", "https://pbx.example.com:8088"),
            ("https://pbx.example.com:/", "https://pbx.example.com"),
            ("https://[2001:DB8::1]:8088/", "https://[2001:db8::1]:8088"),
        ],
    )
    def test_pbx_addresses(self, loaded: Load, written: str, read: str) -> None:
        """A PBX's address is kept as scheme, host and port in one spelling."""
        assert loaded(edited("https://pbx.example.com:8088", written)).pbx[0].url == read

    @pytest.mark.parametrize("written", ["http://127.0.0.1:5000/api", "http://127.0.0.1:5000/api/"])
    def test_api_url(self, loaded: Load, written: str) -> None:
        """SLACK_API_URL points the bot at another Slack API, and always ends with a slash."""
        assert loaded(MINIMAL, SLACK_API_URL=written).slack.api_url == "http://127.0.0.1:5000/api/"

    def test_signing_secret(self, loaded: Load) -> None:
        """The signing secret is there when the environment has it."""
        assert loaded(MINIMAL, SLACK_SIGNING_SECRET="shh").slack.signing_secret == SecretStr("shh")

    def test_maintenance_windows(self, loaded: Load) -> None:
        """A PBX's windows are by the clock of its own time zone, or else of Slack's; without any it is open at all times."""
        text = MINIMAL.replace('"C01CERTS"', '"C01CERTS"\ntimezone = "Europe/Berlin"')
        plain = loaded(text).pbx[0]
        assert (plain.windows, str(plain.maintenance)) == ((), "at all times")
        with_windows = text + 'windows = ["Sat 22:00-04:00", "daily 02:00-03:00"]\n'
        assert str(loaded(with_windows).pbx[0].maintenance) == "Sat 22:00-04:00, daily 02:00-03:00 (Europe/Berlin)"
        own = loaded(with_windows + 'timezone = "America/New_York"\n').pbx[0].maintenance
        assert str(own) == "Sat 22:00-04:00, daily 02:00-03:00 (America/New_York)"

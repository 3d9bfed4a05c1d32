"""How each mistake in a file is told."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import load
from bot.exceptions import ConfigError
from tests.unit.config.files import ENVIRON, MINIMAL, Faults, Load, edited, second_pbx


class TestMistakes:
    def test_all_at_once(self, faults: Faults) -> None:
        """Mistakes in several tables come together, each with its key and index."""
        text = second_pbx(url='"http://lab.example.com"', approvers='["U01", "lead"]', name='"HQ"')
        text = text.replace('"C01CERTS"', '"#certs"') + '[[dns]]\nprovider = "x"\nTTL = 1.5\n'
        where = [line.partition(": ")[0] for line in faults(text)]
        assert where == ["slack.channel", "pbx[1].url", "pbx[1].approvers[1]", "dns[0].name", "dns[0].TTL", "pbx[1].name"]

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ('name = "hq"\n', "", "pbx[0].name: is missing"),
            ('"hq"', '"head office"', "pbx[0].name: must be 1 to 40 letters, digits, dots, dashes or underscores"),
            ('"hq"', f'"{"x" * 41}"', "pbx[0].name: must be 1 to 40 letters"),
            ('"hq"', '"../hq"', "pbx[0].name: must be 1 to 40 letters"),
            ('"hq"', "7", "pbx[0].name: must be text in quotes"),
            ('"client"', '""', "pbx[0].client_id: must be the Client ID that the PBX shows"),
            ('"C01CERTS"', '"U01CERTS"', "slack.channel: must be a channel's id"),
            ('channel = "C01CERTS"', "", "slack.channel: is missing"),
            ('["U02LEAD"]', "[]", "pbx[0].approvers: must hold at least one"),
            ('["U02LEAD"]', '["U02LEAD", "U02LEAD"]', "pbx[0].approvers: names somebody twice"),
            ('["U02LEAD"]', '["C02LEAD"]', "pbx[0].approvers[0]: must be the id of a user"),
            ('["U02LEAD"]', '"U02LEAD"', "pbx[0].approvers: must be a list"),
            ('["U02LEAD"]', '["U02LEAD"]\nrequesters = []', "pbx[0].requesters: is empty: leave it out"),
            ('["U02LEAD"]', '["U02LEAD"]\napprovals = 0', "pbx[0].approvals: must be 1 or more"),
            ('["U02LEAD"]', '["U02LEAD"]\napprovals = "1"', "pbx[0].approvals: must be a whole number"),
            ('["U02LEAD"]', '["U02LEAD"]\napprovals = true', "pbx[0].approvals: must be a whole number"),
            ('["U02LEAD"]', '["U02LEAD"]\napprovals = 2', "pbx[0].approvals: asks for 2 approvals, but there"),
            ('["U02LEAD"]', '["U02LEAD"]\nwindows = "Sat 22:00-04:00"', "pbx[0].windows: must be a list"),
            ('["U02LEAD"]', '["U02LEAD"]\nwindows = ["22:00"]', 'pbx[0].windows[0]: must be a window such as "Sat 22:00-'),
            ('["U02LEAD"]', '["U02LEAD"]\nwindows = [2]', "pbx[0].windows[0]: must be a window such as"),
            ('["U02LEAD"]', '["U02LEAD"]\nwindows = ["Sun 02:00-02:00"]', "pbx[0].windows[0]: ends when it begins"),
            (
                '["U02LEAD"]',
                '["U02LEAD"]\nwindows = ["Sun 02:00-03:00", "sun 02:00-03:00"]',
                "pbx[0].windows: has the same window twice",
            ),
            ('["U02LEAD"]', '["U02LEAD"]\ntimezone = "Mars"', "pbx[0].timezone: must be the name of a time zone such as"),
            ("[[pbx]]", "[pbx]", "pbx: must be written as [[pbx]], in double brackets"),
            ("[secrets]\nkey =", "[slacks]\nkey =", "secrets.key: is missing"),
            ("[slack]", 'slack = 1\n[database]\nurl = "sqlite:///x.db"\n[x]', "secrets.slack: is not known"),
        ],
    )
    def test_one_key(self, faults: Faults, old: str, new: str, told: str) -> None:
        """A faulty value is told by its key, its index and what it must be."""
        assert any(line.startswith(told) for line in faults(edited(old, new)))

    def test_quorum_of_groups(self, loaded: Load) -> None:
        """How many approvals a user group can give is not known from the file, so it is not judged here."""
        assert loaded(edited('["U02LEAD"]', '["S02LEADS"]\napprovals = 3')).pbx[0].approvals == 3

    @pytest.mark.parametrize("written", ["8", '""', '"8"', '"h"', '"-1h"', '"1m1h"', '"8 h"', '"99999d"', '"0h"', "1.5"])
    def test_no_time(self, faults: Faults, written: str) -> None:
        """What is not a time, or no time at all, is refused."""
        [line] = faults(edited('"C01CERTS"', f'"C01CERTS"\npending_for = {written}'))
        assert re.match(r'slack\.pending_for: must be (a time such as "8h"|longer than nothing)', line)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("http://pbx.example.com", "must begin with https://"),
            ("pbx.example.com:8088", "must begin with https://"),
            ("https://", "is not a web address"),
            ("https://:8088", "is not a web address"),
            ("https://pbx.example.com:port", "is not a web address"),
            ("https://pbx.example.com:70000", "is not a web address"),
            ("https://pbx .example.com", "is not a web address"),
            ("https://pbx.example.com\\\\@evil", "is not a web address"),
            ("https://[::1", "is not a web address"),
            ("https://admin:hunter2@pbx.example.com", "must not hold a user name or a password"),
            ("https://pbx.example.com/openapi/v1.0", "must end after the host"),
            ("https://pbx.example.com?a=1", "must not hold anything from ? or # on"),
            ("https://pbx.example.com#a", "must not hold anything from ? or # on"),
        ],
    )
    def test_no_pbx_address(self, faults: Faults, url: str, told: str) -> None:
        """A PBX's address is https, a host and maybe a port, and nothing else."""
        [line] = faults(edited("https://pbx.example.com:8088", url))
        assert line.startswith(f"pbx[0].url: {told}")
        assert "hunter2" not in line

    @pytest.mark.parametrize("url", ["slack.com/api", "ftp://slack.com", "https://u:p@slack.com", "https://a/?b"])
    def test_no_api_url(self, faults: Faults, url: str) -> None:
        """A faulty SLACK_API_URL is told by the variable's name."""
        [line] = faults(MINIMAL, SLACK_API_URL=url)
        assert line.startswith("slack.api_url (SLACK_API_URL): must ")

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ("[secrets]", "[slakc]\n[secrets]", "slakc: is not known; did you mean slack?"),
            ("approvers", "aprovers", "pbx[0].aprovers: is not known; did you mean approvers?"),
            ('"client"', '"client"\nTLS = "system"', "pbx[0].TLS: is not known; did you mean tls?"),
            ("[slack]", "[slack]\nzzz = 1", "slack.zzz: is not known; what may stand here: channel, pending_for,"),
            ("[slack]", "[slack]\nbot_tokn = 1", "slack.bot_tokn: is not known; what may stand here: channel,"),
            ("[secrets]", '"two\\nlines" = 1\n[secrets]', r"'two\nlines': is not known; what may stand here: database"),
            ("[secrets]", '[database]\nuri = "x"\n[secrets]', "database.uri: is not known; did you mean url?"),
        ],
    )
    def test_unknown_keys(self, faults: Faults, old: str, new: str, told: str) -> None:
        """An unknown key is named with the nearest known one, or else with all that may stand there."""
        assert any(line.startswith(told) for line in faults(edited(old, new)))

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"name": '"HQ"'}, "pbx[1].name: is the same as pbx[0].name"),
            ({"url": '"https://PBX.example.com:8088/"'}, "pbx[1].url: is the same as pbx[0].url"),
        ],
    )
    def test_the_same_pbx_twice(self, faults: Faults, changes: Mapping[str, str], told: str) -> None:
        """Two PBXs have neither one name nor one address, however they are spelt."""
        assert faults(second_pbx(**changes)) == [told]

    def test_the_same_profile_twice(self, faults: Faults) -> None:
        """Two DNS profiles do not have one name."""
        profile = '[[dns]]\nname = "corp"\nprovider = "manual"\n'
        assert faults(MINIMAL + profile + profile.replace("corp", "Corp")) == ["dns[1].name: is the same as dns[0].name"]

    def test_no_pbx(self, faults: Faults) -> None:
        """A bot without any PBX is a mistake."""
        assert faults(MINIMAL.partition("[[pbx]]")[0]) == ["pbx: is missing"]

    def test_everything_is_wrong(self, faults: Faults) -> None:
        """Tables that have the wrong shape altogether are told so, and nothing breaks."""
        assert faults("database = 1\nsecrets = 2\nslack = 3\npbx = [4]\ndns = [5]\n") == [
            "database: must be a table",
            "secrets: must be a table",
            "slack: must be a table",
            "pbx[0]: must be a table",
            "dns[0]: must be a table",
        ]

    def test_not_toml(self, faults: Faults) -> None:
        """A mistake of spelling in the TOML is told with its line."""
        [line] = faults('[slack]\nchannel = C01CERTS"\n')
        assert line.startswith("is not TOML: ")
        assert "line 2" in line

    def test_no_file(self, tmp_path: Path) -> None:
        """A configuration that is not there is told with the example to begin with."""
        with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: .*; config\.example\.toml shows"):
            load(tmp_path / "none.toml", ENVIRON)

    def test_no_text(self, tmp_path: Path) -> None:
        """A configuration in another encoding is told with the place."""
        path = tmp_path / "config.toml"
        path.write_bytes(b"# caf\xe9\n")
        with pytest.raises(ConfigError, match=r"config\.toml: is not UTF-8 text \(at byte 6\)"):
            load(path, ENVIRON)

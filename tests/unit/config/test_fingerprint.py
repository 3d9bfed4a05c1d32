"""Two configurations have one hash if they mean the same, and no secret can be guessed from it."""

from pathlib import Path

import pytest

from bot.config import Config, fingerprint, load
from bot.sandbox.pki import Authority
from tests.unit.config.files import ENVIRON, MINIMAL, Load, edited, second_pbx

DNS = '[[dns]]\nname = "corp"\nprovider = "alidns"\nAccessKeySecret = { env = "ALI_SECRET" }\n'
RULES = """
[[policy]]
name = "first"
kind = ["apply"]
all = [{ of = ["U02LEAD", "U03LEAD"] }]
[[policy]]
name = "second"
risk = ["wildcard"]
all = [{ of = ["U04LEAD"] }]
"""


def keyed(plain: bytes) -> str:
    """In place of the vault's: one name for each secret, that has nothing of it."""
    return f"<{len(plain)} {sum(plain)}>"


def hash_of(config: Config) -> str:
    return fingerprint(config, keyed)


def test_comments_and_the_order_of_tables_make_no_difference(loaded: Load) -> None:
    """What a person rearranges in the file means the same."""
    text = second_pbx()
    head, _, pbxs = text.partition("[[pbx]]")
    first, _, second = pbxs.partition("[[pbx]]\n")
    turned = f"# a comment\n{head}[[pbx]]\n{second}[[pbx]]{first}"
    assert hash_of(loaded(turned)) == hash_of(loaded(text))


def test_where_a_secret_is_kept_makes_no_difference(loaded: Load, tmp_path: Path) -> None:
    """The same secret from the environment and from a file is the same configuration."""
    (tmp_path / "hq").write_text(ENVIRON["HQ_CLIENT_SECRET"])
    moved = edited('{ env = "HQ_CLIENT_SECRET" }', '{ file = "hq" }')
    assert hash_of(loaded(moved)) == hash_of(loaded(MINIMAL))


def test_a_ca_file_counts_by_what_it_holds(loaded: Load, tmp_path: Path) -> None:
    """Another path makes no difference, another content does."""
    ours, theirs = Authority.make("Ours").cert_pem, Authority.make("Theirs").cert_pem
    for name, content in (("a.pem", ours), ("b.pem", ours), ("c.pem", theirs)):
        (tmp_path / name).write_bytes(content)
    a, b, c = (hash_of(loaded(edited('client_id = "client"', f'client_id = "client"\ntls = "{name}.pem"'))) for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
def test_what_every_process_has_of_its_own_makes_no_difference(loaded: Load, name: str) -> None:
    """Two replicas may connect to Slack with tokens of their own."""
    prefix = ENVIRON[name][:5]
    assert hash_of(loaded(MINIMAL, **{name: f"{prefix}another"})) == hash_of(loaded(MINIMAL))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"C01CERTS"', '"C02OTHER"'),
        ('"C01CERTS"', '"C01CERTS"\npending_for = "9h"'),
        ('"C01CERTS"', '"C01CERTS"\ntimezone = "Europe/Berlin"'),
        ('"C01CERTS"', '"C01CERTS"\ndigest_at = "08:00"'),
        ('"C01CERTS"', '"C01CERTS"\noutsiders = ["T01OTHER"]'),
        ('["U02LEAD"]', '["U02LEAD", "U03LEAD"]'),
        ('["U02LEAD"]', '["U02LEAD"]\nrequesters = ["S01ALL"]'),
        ("https://pbx.example.com:8088", "https://pbx.example.com:8089"),
        ('client_id = "client"', 'client_id = "another"'),
        ('["U02LEAD"]\n', '["U02LEAD"]\n' + RULES),
        ('["U02LEAD"]\n', '["U02LEAD"]\n[risk]\nlongest_validity = "90d"\n'),
        ('["U02LEAD"]\n', '["U02LEAD"]\n[audit]\npersonal_data_for = "90d"\n'),
        ('["U02LEAD"]\n', '["U02LEAD"]\n' + DNS),
        ('["U02LEAD"]\n', '["U02LEAD"]\nwindows = ["Sat 22:00-04:00"]\n'),
    ],
)
def test_what_has_a_meaning_makes_a_difference(loaded: Load, old: str, new: str) -> None:
    """Any other value of any table is another configuration."""
    assert hash_of(loaded(edited(old, new))) != hash_of(loaded(MINIMAL))


def test_another_secret_makes_a_difference(loaded: Load) -> None:
    """A replica with an old client secret or old DNS credentials is noticed."""
    assert hash_of(loaded(MINIMAL, HQ_CLIENT_SECRET="another")) != hash_of(loaded(MINIMAL))
    assert hash_of(loaded(MINIMAL + DNS, ALI_SECRET="another")) != hash_of(loaded(MINIMAL + DNS))


def test_the_order_of_rules_makes_a_difference(loaded: Load) -> None:
    """The first rule that matches counts, so their order has a meaning."""
    first, second = RULES.split("[[policy]]\n")[1:]
    turned = f"[[policy]]\n{second}[[policy]]\n{first}"
    assert hash_of(loaded(MINIMAL + RULES)) != hash_of(loaded(MINIMAL + turned))


def test_secrets_are_asked_for_by_their_keyed_digest_only(loaded: Load) -> None:
    """Each secret that counts is handed to the keyed digest; with a digest that tells none apart, none makes a difference."""
    seen: list[bytes] = []

    def blind(plain: bytes) -> str:
        seen.append(plain)
        return "the same"

    one = fingerprint(loaded(MINIMAL + DNS), blind)
    assert fingerprint(loaded(MINIMAL + DNS, HQ_CLIENT_SECRET="another", ALI_SECRET="another"), blind) == one
    assert len(seen) == 4


def test_the_whole_example_has_a_hash() -> None:
    """Nothing that a file may hold is of a kind that nobody has thought of."""
    example = Path(__file__).parents[3] / "config.example.toml"
    assert len(hash_of(load(example, ENVIRON))) == 64

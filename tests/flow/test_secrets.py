"""What nobody but the PBX may ever see: private keys, DNS credentials, and the passwords of the house."""

import logging
from typing import Any

import pytest

from bot.sandbox.pki import Issued
from bot.sandbox.slack.modal import Modal
from tests.flow.meddling import everything_in
from tests.flow.world import ALI_ID, ALI_SECRET, KEY, World


def key_lines(issued: Issued) -> list[str]:
    """The lines of a private key's PEM, each long enough to be found again."""
    return [line for line in issued.key_pem.decode().splitlines() if "PRIVATE KEY" not in line and len(line) > 20]


def everything_said(world: World) -> str:
    """All that the bot ever sent to Slack: calls with their arguments, and its answers to what Slack delivered."""
    calls = [f"{call.method} {call.args!r}" for call in world.slack.log]
    return "\n".join([*calls, *(repr(delivery.ack) for delivery in world.slack.deliveries)])


def found_in(text: str, secrets: list[str]) -> list[int]:
    """The places of those that were found, so that a failing test does not print them."""
    return [place for place, secret in enumerate(secrets) if secret in text]


def ask_with_key_and_credentials(world: World) -> tuple[dict[str, Any], Issued]:
    """A request that waits for its approval, and what it is about."""
    leaf = world.leaf()

    def fill(form: Modal) -> Modal:
        world.fill_import(form, leaf)
        form.check("auto_renewal", "1")
        world.slack.wait_for(lambda: "DNS credentials" in form.field_labels())
        form.choose("dns", "corp")
        return form

    return world.ask(fill), leaf


def test_keys_and_credentials_never_reach_slack_or_the_logs(
    quiet: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """From the start to the end no message, view, log line or answer of the bot holds a key, a credential or a token."""
    caplog.set_level(logging.INFO)
    world = quiet.start()
    card, leaf = ask_with_key_and_credentials(world)
    world.approve(card)
    world.wait_thread(card, "now lists")
    secrets = [ALI_ID, ALI_SECRET, "BEGIN PRIVATE KEY", world.hq.client_secret, KEY, *key_lines(leaf)]
    assert len(secrets) > 6
    assert found_in(everything_said(world), secrets) == []
    written = "".join(capfd.readouterr()) + caplog.text
    assert "bot.listening" in written
    assert found_in(written, [*secrets, world.slack.bot_token, world.slack.app_token]) == []
    assert found_in(world.hq.certificates[0].key.decode(), key_lines(leaf)) != []


def test_keys_and_credentials_lie_encrypted_in_the_database(world: World) -> None:
    """While a request waits, the database holds neither its key nor its credentials, nor any password, in the clear."""
    _, leaf = ask_with_key_and_credentials(world)
    kept = everything_in(world.database_url).decode("latin-1")
    assert "The old one expires" in kept
    secrets = [ALI_ID, ALI_SECRET, "PRIVATE KEY", world.hq.client_secret, world.slack.bot_token, KEY, *key_lines(leaf)]
    assert found_in(kept, secrets) == []


def test_what_was_typed_as_a_credential_is_kept_from_everybody(
    quiet: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Typed DNS credentials reach the PBX and nothing else: no view of the bot's, no log line, no byte of the database."""
    caplog.set_level(logging.INFO)
    quiet.slack_lines = "allow_typed_dns_credentials = true"
    world = quiet.start()
    secret = "typed-by-tess-93c1"

    def fill(form: Modal) -> Modal:
        world.fill_apply(form)
        form.choose("dns", "Type the credentials here")
        world.slack.wait_for(lambda: "DNS provider" in form.field_labels())
        form.pick("provider", "alidns")
        world.slack.wait_for(lambda: "AccessKeySecret" in form.field_labels())
        form.type("AccessKeyId", "LTAI-typed")
        form.type("AccessKeySecret", secret)
        return form

    card = world.ask(fill)
    assert "*DNS credentials*: typed by the requester" in world.card(card)
    assert secret.encode() not in everything_in(world.database_url)
    world.approve(card)
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")
    assert {"k": "AccessKeySecret", "sv": secret} in world.hq.certificates[0].dns.auth_info_list  # type: ignore[union-attr]
    assert found_in(everything_said(world), [secret]) == []
    assert found_in("".join(capfd.readouterr()) + caplog.text, [secret]) == []

"""Drafts whose check is under way while something else happens to them."""

from bot.domain.requests import Decision
from bot.sandbox.slack.trouble import DOWNLOAD
from bot.store import ledger
from bot.store.engine import Store
from tests.flow.world import KEY, World


def is_wiped(world: World) -> bool:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        draft = ledger.load(session, 1)
    return draft is not None and draft.decision is Decision.EXPIRED


def secrets_left(world: World) -> list[str]:
    """The names of what the vault holds, read after the bot has stopped."""
    store = Store(world.database_url, bytes.fromhex(KEY), world.clock)
    with store.begin() as session:
        names = store.vault.names(session, 1)
    store.close()
    return names


def test_a_file_that_arrives_after_the_draft_was_wiped_is_not_kept(world: World) -> None:
    """A private key whose download ends after its draft has gone does not stay in the vault for ever."""
    world.slack.trouble.delay(DOWNLOAD, 2.0, before=True)
    form = world.fill_import(world.open_form())
    assert form.submit().outcome == "acked"
    world.slack.wait_for(lambda: world.slack_calls("files.info") > 0)
    world.skip_until(lambda: is_wiped(world), minutes=61)
    world.slack.wait_for(lambda: world.slack_calls(DOWNLOAD) > 0)
    world.stop()
    assert secrets_left(world) == []


def test_a_second_submission_delivered_twice_is_answered_alike(world: World) -> None:
    """The form that came back is submitted anew; when Slack delivers that twice, both answers say "Checking"."""
    form = world.check(world.fill_trusted(world.open_form(), ("corp-root.crt", b"no certificate")))
    assert form.view["callback_id"] == "form"
    form.attach("Replace the file(s)", ("corp-root.crt", world.root.cert_pem))
    submission = form.submit()
    again = world.slack.deliver_again(submission)
    assert again.ack is not None
    assert again.ack["view"]["callback_id"] == "checking"
    world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")

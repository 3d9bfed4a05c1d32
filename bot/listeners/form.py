"""The form while it is being filled in: what it offers, and how it changes with what is chosen."""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App

from bot.blocks import parts
from bot.blocks.reading import read_state
from bot.domain.dns_catalogue import Catalogue
from bot.listeners.desk import Body, Desk

#: The fields on whose value it depends which fields there are.
CHANGING = ("pbx", "kind", "dns", "auto_renewal", "provider", "emergency")
#: The most that an external select shows (docs.slack.dev/reference/block-kit/block-elements/select-menu-element).
MOST = 100


def register(app: App, desk: Desk) -> None:
    for field in CHANGING:
        app.action(field)(_changed(desk))
    app.options("pbx")(_pbxs(desk))
    app.options("provider")(_providers)


def _changed(desk: Desk) -> Callable[..., None]:
    def changed(ack: Ack, body: Body) -> None:
        ack()
        desk.repaint_form_later(body, read_state(body["view"]))

    return changed


def _pbxs(desk: Desk) -> Callable[..., None]:
    def pbxs(ack: Ack, body: Body) -> None:
        typed = body.get("value", "").strip().casefold()
        names = [pbx.name for pbx in desk.context.config.pbx if typed in pbx.name.casefold()]
        ack(options=[parts.option(name, name) for name in names[:MOST]])

    return pbxs


def _providers(ack: Ack, body: Body) -> None:
    found = Catalogue.load().search(body.get("value", ""), MOST)
    options: list[dict[str, Any]] = [parts.option(provider.name, provider.flag) for provider in found]
    ack(options=options)

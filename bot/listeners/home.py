"""The home tab: opened, refreshed, its pages turned, and asked from. All that is slow follows the acknowledgement."""

from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks.form import FormState
from bot.blocks.home import Places
from bot.domain.requests import Ask
from bot.listeners.afterwards import defer
from bot.listeners.commands import empty_form
from bot.listeners.desk import Body, Desk


def register(app: App, desk: Desk) -> None:
    app.event("app_home_opened")(_opened(desk))
    app.action("home_refresh")(_go(desk, pressed=True))
    app.action("home_more")(_go(desk))
    app.action("home_first")(_go(desk))
    app.action("home_ask")(_ask(desk))
    app.action("home_renew")(_renew(desk))
    app.action("home_card")(_followed)


def _opened(desk: Desk) -> Callable[..., None]:
    def opened(body: Body) -> None:
        event = body["event"]
        if event.get("tab", "home") == "home":
            defer(desk.homes.acted(event["user"], Places()))

    return opened


def _go(desk: Desk, *, pressed: bool = False) -> Callable[..., None]:
    """Paint the pages that the button leads to."""

    def go(ack: Ack, body: Body) -> None:
        ack()
        places = Places.load(body["actions"][0]["value"])
        defer(desk.homes.acted(body["user"]["id"], places, pressed=pressed))

    return go


def _ask(desk: Desk) -> Callable[..., None]:
    def ask(ack: Ack, body: Body) -> None:
        ack()
        desk.open_form_later(body, empty_form(desk, "", ""), body["user"]["id"])

    return ask


def _renew(desk: Desk) -> Callable[..., None]:
    """The form for the PBX on which something expires, if it is configured still."""

    def renew(ack: Ack, body: Body) -> None:
        ack()
        pbx = desk.context.config.pbx_named(body["actions"][0]["value"])
        state = FormState(Ask(pbx=pbx.name)) if pbx else empty_form(desk, "", "")
        desk.open_form_later(body, state, body["user"]["id"])

    return renew


def _followed(ack: Ack) -> None:
    """The button is a link, which the client opens by itself."""
    ack()

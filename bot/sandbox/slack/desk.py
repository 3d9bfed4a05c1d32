"""What people's hands and the workspace share: sending to the app and waiting for what comes of it."""

from __future__ import annotations

from bot.sandbox.slack import payloads, views
from bot.sandbox.slack.conversations import require_content
from bot.sandbox.slack.errors import ApiRefusal, PersonRefused
from bot.sandbox.slack.events import Events
from bot.sandbox.slack.records import Channel, Delivery, Json, View
from bot.sandbox.slack.response_urls import respond
from bot.sandbox.slack.socket_mode import SocketMode, Then
from bot.sandbox.slack.state import State

TROUBLE = "We had some trouble connecting. Try again?"


class Desk:
    def __init__(self, state: State, socket: SocketMode, events: Events) -> None:
        self.state = state
        self.socket = socket
        self.events = events

    def settled(self, delivery: Delivery) -> Delivery:
        """Wait for the answer, or for the end of the time there is for it."""
        if not delivery.done.wait(self.socket.ack_deadline + 10):
            raise TimeoutError(f"The server did not settle {delivery.kind} {delivery.envelope_id}.")
        return delivery

    def interactive(self, payload: Json, user: str, then: Then | None = None) -> Delivery:
        """Send what a person did; where no answer comes in time, Slack itself tells the person."""
        if not self.state.app.interactive:
            raise PersonRefused("This app is not configured to handle interactive responses.")

        def settle(delivery: Delivery) -> None:
            if then is not None:
                then(delivery)
            if delivery.problem or delivery.outcome != "acked":
                self.state.notice(user, TROUBLE)

        return self.socket.deliver("interactive", payload, user, settle)

    def command(self, name: str, text: str, user: str, channel: Channel) -> Delivery:
        payload = payloads.command(self.state, user, name, text, channel)

        def settle(delivery: Delivery) -> None:
            if delivery.outcome == "acked":
                self._answer_command(delivery, channel)
            else:
                error = "dispatch_failed" if delivery.outcome == "no bot" else "operation_timeout"
                self.state.notice(user, f'{name} failed with the error "{error}"')

        return self.socket.deliver("slash_commands", payload, user, settle)

    def _answer_command(self, delivery: Delivery, channel: Channel) -> None:
        """The acknowledgement itself may carry a message (docs.slack.dev/interactivity/implementing-slash-commands)."""
        if not delivery.ack:
            return
        key = delivery.payload["response_url"].rpartition("/")[2]
        url = self.state.response_urls[key]
        try:
            require_content(str(delivery.ack.get("text") or ""), delivery.ack.get("blocks"))
            respond(self.state, url, delivery.ack)
        except ApiRefusal as refusal:
            delivery.problem = f"{refusal.error}: {refusal.fields.get('errors', '')}"
            self.state.notice(delivery.user or "", f'{delivery.payload["command"]} failed: "{refusal.error}"')

    def submit(self, view: View) -> Delivery:
        """Send a form; its answer takes effect in the moment it arrives."""
        view.submitting = True
        view.errors = {}

        def settle(delivery: Delivery) -> None:
            view.submitting = False
            if delivery.outcome == "acked":
                delivery.problem = views.apply_answer(self.state, view, delivery.ack)

        return self.interactive(payloads.submission(self.state, view), view.user, settle)

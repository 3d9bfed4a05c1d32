"""A strict, local Slack workspace for one app: Web API, Socket Mode, files, user groups, and people who act in it."""

from bot.sandbox.slack.errors import PersonRefused
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.records import Call, Channel, Delivery
from bot.sandbox.slack.trouble import Trouble
from bot.sandbox.slack.workspace import Workspace, utc_now

__all__ = [
    "Call",
    "Channel",
    "Delivery",
    "Modal",
    "Person",
    "PersonRefused",
    "RateLimits",
    "Trouble",
    "Workspace",
    "utc_now",
]

"""Configuration files for the tests of bot.config."""

from collections.abc import Callable

from bot.config import Config

ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-secret-of-bot",
    "SLACK_APP_TOKEN": "xapp-secret-of-app",
    "PBX_CERT_BOT_KEY": "c2VjcmV0LWtleS1zZWNyZXQta2V5LXNlY3JldC1rZXk",
    "HQ_CLIENT_SECRET": "secret-of-hq",
    "ALI_ID": "secret-id",
    "ALI_SECRET": "secret-of-ali",
}

MINIMAL = """
[secrets]
key = { env = "PBX_CERT_BOT_KEY" }
[slack]
channel = "C01CERTS"
[[pbx]]
name = "hq"
url = "https://pbx.example.com:8088"
client_id = "client"
client_secret = { env = "HQ_CLIENT_SECRET" }
approvers = ["U02LEAD"]
"""

Load = Callable[..., Config]
Faults = Callable[..., list[str]]


def edited(old: str, new: str) -> str:
    assert old in MINIMAL
    return MINIMAL.replace(old, new)


def second_pbx(**changes: str) -> str:
    keys = {
        "name": '"lab"',
        "url": '"https://lab.example.com"',
        "client_id": '"client"',
        "client_secret": '{ env = "HQ_CLIENT_SECRET" }',
        "approvers": '["S01LEADS"]',
    }
    return MINIMAL + "[[pbx]]\n" + "".join(f"{key} = {value}\n" for key, value in (keys | changes).items())

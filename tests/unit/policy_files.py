"""A whole configuration out of the part of it that says who may approve."""

import re
from itertools import count
from pathlib import Path

from bot.config import Config, load
from tests.unit.config.files import ENVIRON

PBX = """[[pbx]]
url = "https://pbx-{}.example.com"
client_id = "client"
client_secret = {{ env = "HQ_CLIENT_SECRET" }}
"""


def completed(part: str) -> str:
    """With everything that a configuration needs besides: Slack's channel, a key, and how each PBX is reached."""
    numbers = count()
    slack = '[slack]\nchannel = "C01CERTS"\n'
    text = part.replace("[slack]\n", slack) if "[slack]\n" in part else slack + part
    text = re.sub(r"^\[\[pbx\]\]\n", lambda _: PBX.format(next(numbers)), text, flags=re.MULTILINE)
    return '[secrets]\nkey = { env = "PBX_CERT_BOT_KEY" }\n' + text


def loaded(part: str, folder: Path) -> Config:
    path = folder / "config.toml"
    path.write_text(completed(part), "utf-8")
    return load(path, ENVIRON)

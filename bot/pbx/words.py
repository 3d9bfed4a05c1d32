"""What an errcode means to somebody who looks after telephones: what happened, what it means, what to do.

Codes after the vendor's page developer-guide/error-code-and-error-message. Where the page gives no more than a name, the
meaning is what that name says and no more.
"""

from collections.abc import Mapping
from typing import NamedTuple

#: What we were doing while logging in; the same code can mean something else there.
LOGGING_IN = "let the bot log in"


class Words(NamedTuple):
    """The middle and the end of a sentence that begins with "The PBX did not ..."."""

    meaning: str
    advice: str


_WRONG_VALUE = Words(
    "it does not accept one of the values", "Check the file, the domain name and the DNS settings, then ask again."
)
_NOT_OURS = "This does not concern certificates; tell whoever looks after this bot."
_OTHER_FEATURE = "it names {} that it does not have"

_WORDS: Mapping[int, Words] = {
    -2: Words("it had a fault of its own", "Look at the PBX's state, and try again in a few minutes."),
    -1: Words("it failed and gives no reason", "Look at the PBX's own log, then try again."),
    1: Words("it did only a part of it", "Look in its web portal at what is there now, before you ask again."),
    2: Words("it is still working on it", "Wait a few minutes, then look at what it lists."),
    10001: Words(
        "it does not know this function, so its firmware or edition has none for certificates",
        "Update the firmware, or add the certificate in its web portal.",
    ),
    10002: Words("this version of its API is retired", "Ask for a newer version of the bot."),
    10003: Words("it does not know this version of the API", "Update the PBX's firmware."),
    10004: Words(
        "it no longer accepts our access, and a new one did not help",
        "Try again; if it stays like this, look whether another program uses the same client ID.",
    ),
    10005: Words("our API access may not do this", "Give it the permission at Integrations > API."),
    10009: Words("the function is switched off or not permitted", "Look at the PBX's settings for this function."),
    40001: Words("it could not read the request", "Tell whoever looks after this bot; asking again will not help."),
    40002: _WRONG_VALUE,
    40003: Words("it already has one with this name", "Remove that one first, or ask again under another name."),
    40004: Words("the file is too large for it", "Ask again with the certificate, its chain and its key only."),
    60001: Words("it does not have what was asked for", "Somebody may have removed it; look at what it lists now."),
    60002: Words(
        "it has no room for another one (it holds at most 3 server certificates and 20 trusted ones)",
        "Remove a certificate that is no longer needed, then ask again.",
    ),
    60101: Words(_OTHER_FEATURE.format("a user role"), _NOT_OURS),
    70004: Words(
        "it has blocked the address that the bot calls from",
        "Check the client ID and secret, remove the address at Security > Security Rules > Blocked IPs, then press Try again.",
    ),
    70082: Words("a heavy task is running on it", "Try again when that task has ended."),
    70084: Words("it forbids this action", "Look at its settings, or do it in its web portal."),
    70087: Words(
        "the address that the bot calls from is not on its list of permitted ones",
        "Add the address to the IP restriction at Integrations > API.",
    ),
    70091: Words("something still uses it", "Choose another certificate where this one is in use, then try again."),
    70093: Words(_OTHER_FEATURE.format("a phonebook"), _NOT_OURS),
    70106: Words("no call rate is set", _NOT_OURS),
    70120: Words("its organization feature is switched off", _NOT_OURS),
    70123: Words("its API is switched off or not available", "Switch it on at Integrations > API."),
    70128: Words(_OTHER_FEATURE.format("a contact"), _NOT_OURS),
    70130: Words(_OTHER_FEATURE.format("a channel"), _NOT_OURS),
    70132: Words("the channel does not support this", _NOT_OURS),
    70510: Words("the conference has no room for more participants", _NOT_OURS),
    70514: Words("the trunk for messages is not available", _NOT_OURS),
    70515: Words(_OTHER_FEATURE.format("a trunk"), _NOT_OURS),
    70516: Words("it refused a wake-up call", _NOT_OURS),
}

_AT_LOGIN: Mapping[int, Words] = {
    60002: Words(
        "all 8 of its access tokens for this client ID are in use",
        "It takes up to 30 minutes until one expires; nothing needs to be done. "
        "If this comes back, give the bot a client ID of its own.",
    ),
    10001: Words("it does not know the API", "Switch the API on at Integrations > API, or update the firmware."),
    70004: _WORDS[70004],
    70087: _WORDS[70087],
    70120: _WORDS[70120],
}

_REFUSED_LOGIN = Words(
    "it does not accept the client ID and secret",
    "Compare both with Integrations > API on the PBX and correct the configuration, then press Try again. "
    "The bot does not try again by itself, because five failures block its address.",
)
_UNKNOWN = Words("it gives a reason that the bot does not know", "Look at the PBX's own log, then try again.")

#: Answers to a login that say nothing about the client id and secret: the PBX is busy, faulty, full, or has no such API.
SERVICE_FAULTS = frozenset({-2, 2, 10001, 10002, 10003, 60002, 70082, 70123})


def words(errcode: int, errmsg: str, doing: str) -> str:
    """The sentences for a refusal; ``doing`` completes "The PBX did not", as in ``add the certificate``."""
    meaning, advice = _meaning(errcode, doing == LOGGING_IN)
    return f"The PBX did not {doing}: {meaning}. {advice} ({f'{errcode} {errmsg}'.strip()})"


def _meaning(errcode: int, at_login: bool) -> Words:
    if not at_login:
        return _WORDS.get(errcode, _UNKNOWN)
    if errcode in _AT_LOGIN:
        return _AT_LOGIN[errcode]
    return _WORDS[errcode] if errcode in SERVICE_FAULTS else _REFUSED_LOGIN

"""Everything that can go wrong here, as one tree.

    BotError
    ├── ConfigError             the configuration cannot be used
    ├── BundleUnreadable        a file is no bundle of the audit trail
    ├── StoreError              our own database
    │   ├── StoreBusy               another writer held it longer than the caller may wait
    │   ├── StoreUnavailable        gone, full, read-only or damaged: its code says which
    │   ├── StoreClosed             this process is ending
    │   ├── Stale                   the row is no longer what the caller was shown
    │   ├── LeaseLost               another worker took over this piece of work
    │   ├── VaultError              a secret cannot be opened
    │   └── ChainBroken             the audit chain does not verify
    ├── PbxError                the telephone system
    │   ├── PbxUnreachable          the call did not leave, so nothing happened
    │   │   ├── PbxAway                 it has not answered for a while, so it was not even tried
    │   │   └── PbxTooLate              too long after its intent, so it was held back
    │   ├── PbxFateUnknown          the call left and no answer came
    │   ├── PbxBadAnswer            the answer is not one of the Open API
    │   ├── PbxLoginStopped         we do not log in until a person says so
    │   └── PbxRefused              the PBX answered with an errcode
    │       ├── PbxTokenExpired         10004
    │       ├── PbxLimitReached         60002
    │       │   └── PbxTokenCap             at a login: every access token is in use
    │       └── PbxLoginRefused         the client id or secret is wrong, or our address is blocked
    └── SlackError              the workspace
        ├── SlackUnreachable        the call did not leave, so nothing happened
        ├── SlackFateUnknown        the call left and no answer came
        ├── SlackRateLimited        429, with the seconds to wait
        ├── SlackRefused            an answer with ``ok: false``
        └── FileUnavailable         an uploaded file cannot be fetched

The first line of a class's docstring is its message. A foreign error is translated where it enters: requests' in
`bot.pbx.errors`, slack_sdk's in `bot.slack.errors`, SQLAlchemy's in `bot.store.errors`.
"""

import inspect
from datetime import datetime, timedelta


class BotError(Exception):
    """Something went wrong."""

    #: Short and stable, for logs and for the brackets at the end of a sentence.
    code = "error"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        self.message = message or (inspect.getdoc(type(self)) or "").splitlines()[0]
        self.code = code or type(self).code
        super().__init__(self.message)


class ConfigError(BotError):
    """The configuration cannot be used."""

    code = "config"


class BundleUnreadable(BotError):
    """This is no file of `audit bundle`, or one of another version."""

    code = "no_bundle"


class StoreError(BotError):
    """The bot's database did not do what was asked."""

    code = "store"


class StoreBusy(StoreError):
    """The bot's database is busy; nothing was saved."""

    code = "store_busy"


class StoreUnavailable(StoreError):
    """The bot's database cannot be reached or written; nothing was saved."""

    code = "store_unavailable"


class StoreClosed(StoreError):
    """The bot is being stopped; nothing was saved."""

    code = "stopping"


class Stale(StoreError):
    """This has changed since it was shown."""

    code = "stale"


class LeaseLost(StoreError):
    """Another worker has taken over this piece of work."""

    code = "lease_lost"


class VaultError(StoreError):
    """A stored secret cannot be opened with the key that is configured."""

    code = "vault"


class ChainBroken(StoreError):
    """The audit chain does not verify."""

    code = "chain_broken"


class PbxError(BotError):
    """The PBX did not do what was asked."""

    code = "pbx"
    #: It happened on the way to an access token, so the call that needed one did not leave, whatever the error says.
    before_the_call = False


class PbxUnreachable(PbxError):
    """The PBX cannot be reached; nothing was sent."""

    code = "unreachable"


class PbxAway(PbxUnreachable):
    """The PBX has not answered for a while, so it was not asked."""

    code = "pbx_away"

    def __init__(self, pbx: str, since: datetime, retry_at: datetime) -> None:
        told = "%H:%M UTC" if retry_at - since < timedelta(hours=12) else "%Y-%m-%d %H:%M UTC"
        #: Without the promise to try again, for those who give up.
        self.outage = f"{pbx} has not answered since {since:{told}}, so it was not asked again."
        super().__init__(f"{self.outage} The bot tries again at {retry_at:%H:%M UTC}. [{self.code}]")
        self.retry_at = retry_at


class PbxTooLate(PbxUnreachable):
    """The call was held back: too much time had passed since the bot meant to make it."""

    code = "too_late"


class PbxFateUnknown(PbxError):
    """The PBX did not answer; whether it did what was asked is not known."""

    code = "no_answer"


class PbxBadAnswer(PbxError):
    """What answered does not speak the PBX's Open API."""

    code = "bad_answer"


class PbxLoginStopped(PbxError):
    """Logins to this PBX are stopped until its configuration changes or somebody presses Try again."""

    code = "login_stopped"

    def __init__(self, message: str | None = None, *, last_answer: str = "") -> None:
        super().__init__(message)
        #: What the PBX said to the login that was the last, in words.
        self.last_answer = last_answer


class PbxRefused(PbxError):
    """The PBX refused the call."""

    def __init__(self, errcode: int, errmsg: str, message: str | None = None) -> None:
        super().__init__(message, code=f"{errcode} {errmsg}".strip())
        self.errcode = errcode
        self.errmsg = errmsg


class PbxTokenExpired(PbxRefused):
    """The PBX no longer accepts our access token."""


class PbxLimitReached(PbxRefused):
    """The PBX has no room for another one."""


class PbxTokenCap(PbxLimitReached):
    """All of the PBX's access tokens are in use."""


class PbxLoginRefused(PbxRefused):
    """The PBX refused our login."""


class SlackError(BotError):
    """Slack did not do what was asked."""

    code = "slack"


class SlackUnreachable(SlackError):
    """Slack cannot be reached; nothing was sent."""

    code = "slack_unreachable"


class SlackFateUnknown(SlackError):
    """Slack did not answer; whether it did what was asked is not known."""

    code = "slack_no_answer"


class SlackRateLimited(SlackError):
    """Slack asks us to wait."""

    code = "ratelimited"

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class SlackRefused(SlackError):
    """Slack refused the call."""

    def __init__(self, error: str, needed: str = "") -> None:
        super().__init__(code=error)
        self.error = error
        self.needed = needed


class FileUnavailable(SlackError):
    """The uploaded file cannot be fetched from Slack."""

    code = "file_unavailable"

"""The vocabulary of the trail: one name for each thing that can happen to a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What happened. A state's event bears the state's own name."""

    #: A draft was stored. data: pbx, wanted (the kind), edits (the request that it changes, if it does)
    DRAFTED = "drafted"
    #: A draft was checked. data: problems (codes); if there are none, digest, and contents (the digest without the secrets)
    CHECKED = "checked"
    #: The requester confirmed; the approvers see it. data: digest, version
    PENDING = "pending"
    #: A voice that counts. data: verdict, reason, have, need, rule, missing (seats), one_of (lists of seats, of each one)
    VOTED = "voted"
    #: A click that does not count. data: verdict, code, reason, rule, changes (sentences, where it was on an older version)
    REFUSED = "refused"
    #: The quorum is reached. data: by (list of users)
    APPROVED = "approved"
    #: data: reason
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    #: data: wanted, missing and one_of as with REMINDED, to (those whom it was escalated to)
    EXPIRED = "expired"
    #: The database was put back from a backup while this was open. data: until
    VOID = "void"
    #: The first visit to the PBX began.
    APPLYING = "applying"
    #: The PBX has room. data: used, slots, type
    LOOKED = "looked"
    #: data: name
    UPLOADED = "uploaded"
    #: The PBX took the certificate. data: name, apply_status
    CREATED = "created"
    #: The PBX is applying for the certificate. data: domain
    ISSUING = "issuing"
    #: data: domain, seconds
    ISSUED = "issued"
    #: A visit came to nothing, another follows. data: sentence
    RETRYING = "retrying"
    #: After that the PBX answered again, and there is still something to wait for.
    ANSWERING = "answering"
    #: A call's fate was found out by looking. data: name, found (bool)
    SETTLED = "settled"
    #: Logins to the PBX are stopped. data: pbx, sentence
    LOGIN_STOPPED = "login_stopped"
    #: An operator let the bot log in again. data: pbx
    LOGIN_RESUMED = "login_resumed"
    #: A PBX does not answer any more; no request's own. data: pbx, since, waiting (count of requests), sentence
    PBX_SILENT = "pbx_silent"
    #: It answers again. data: pbx, seconds, waiting
    PBX_ANSWERS = "pbx_answers"
    #: The certificate as the PBX lists it. data: id, name, type, issue_to, expires, seconds
    DONE = "done"
    #: data: sentence, code, apply_tip_code
    FAILED = "failed"
    #: A call left and its fate is not known; the bot looks. data: sentence
    UNKNOWN = "unknown"
    #: Looking did not tell; a person is asked. data: sentence
    PERSON_WANTED = "person_wanted"
    #: What a person said to that. data: word
    WORD_GIVEN = "word_given"
    #: The database was put back from a backup; what happened after that is not in it. data: until, void, unknown
    RESTORED = "restored"
    #: The request's secrets are gone. data: names
    WIPED = "wiped"
    #: The requester changed what is asked for; votes start again. data: version, digest, changes (list of sentences),
    #: contents, secrets (names of those that have another content), voted (list of users), draft (its number as a draft)
    EDITED = "edited"
    #: The rule that a request was asked under is not the one of the configuration any more; both count. data: rule, today
    RULE_CHANGED = "rule_changed"
    #: An earlier vote counts no longer, because the policy does not name its person any more. data: user, rule
    LAPSED = "lapsed"
    #: data: wanted (list of users and groups to mention), missing and one_of as with VOTED, number (1 for the first)
    REMINDED = "reminded"
    #: data: to (list of users and groups), wanted, missing and one_of as with REMINDED
    ESCALATED = "escalated"
    #: What waits for people is about to be told to each of them; no request's own. data: day (a date, in ``slack.timezone``),
    #: users, requests (for each of these users a list of numbers)
    DIGEST = "digest"
    #: One person lets it be done without the approvals, as the rule allows. data: reason, rule, version, digest, confirm_by,
    #: to (list of users and groups who are told)
    EMERGENCY = "emergency"
    #: A second person has looked at it afterwards and found it right. data: comment, rule
    CONFIRMED = "confirmed"
    #: A second person has looked at it afterwards and found it wrong. data: reason, rule
    OBJECTED = "objected"
    #: Nobody has looked at it, and the time for it is over. data: number (1 for the first), confirm_by, to
    UNCONFIRMED = "unconfirmed"
    #: It is approved and begins later. data: start, why (`bot.domain.schedule.Why`)
    SCHEDULED = "scheduled"
    #: A call to the PBX is about to leave that changes something. data: step, call
    CALLING = "calling"
    #: A call to the PBX is over; ``check`` is the step of a draft. data: step, call, errcode, error, milliseconds
    CALLED = "called"
    #: A configuration is in force; no request's own. data: hash, replica, by (a user, or ``start``, or ``SIGHUP``), unchecked
    #: (Slack's code for why nobody could say whether everything can be approved)
    CONFIG_LOADED = "config_loaded"
    #: A faulty one is not, and the last good one stays. data: hash (of that one), replica, by, mistakes (lines)
    CONFIG_REFUSED = "config_refused"
    #: Replicas have worked by different configurations for a while, or do so no more. data: hashes (by replica), agree
    CONFIG_DIFFERS = "config_differs"
    #: Whom the policy needs cannot approve, or can again; no request's own. data: pbx (names), line, sentence, mended
    POLICY_TROUBLE = "policy_trouble"
    #: The chain's head is about to be posted; no request's own. data: length, head, day (in the configured time zone)
    WITNESSED = "witnessed"
    #: The personal data of an ended request was reduced to what the chain needs. data: events (list of ids)
    REDUCED = "reduced"
    #: Events are hashed otherwise from now on; all before this were proven and chained anew. data: length, head (before)
    RECHAINED = "rechained"


class Word(StrEnum):
    """What a person answers who was asked about an unknown fate."""

    #: The bot shall look once more.
    CHECK_AGAIN = "check_again"
    IS_THERE = "is_there"
    IS_NOT_THERE = "is_not_there"


@dataclass(frozen=True)
class Event:
    """One link of the chain, as a line of a thread needs it. ``actor`` is a Slack user's id, or ``bot``."""

    id: int
    request: int | None
    kind: EventKind
    actor: str
    at: datetime
    data: Mapping[str, Any]


#: The actor of what nobody clicked.
BOT = "bot"

"""Calls whose fate is not known: the bot looks, then a person says. What they say is an event, and nothing more is sent."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Execution, Outcome, Request
from bot.exceptions import Stale
from bot.store import agenda, audit, ledger
from bot.store.agenda import Work
from bot.store.vault import Vault


def doubt(session: Session, now: datetime, request: Request, sentence: str) -> None:
    """Nobody knows whether the call took effect, and the bot will look. Raises Stale like `ledger.execute`."""
    ledger.execute(session, request, Execution.UNKNOWN)
    audit.append(session, now, EventKind.UNKNOWN, BOT, request.id, sentence=sentence)
    ledger.narrate(session, now, request.id)


def want_person(session: Session, now: datetime, vault: Vault, request: Request, sentence: str) -> None:
    """Looking did not tell, so a person is asked. The bot sends nothing more, and so the secrets go. Raises Stale."""
    ledger.execute(session, request, Execution.UNKNOWN, outcome=Outcome(sentence=sentence).to_json())
    audit.append(session, now, EventKind.PERSON_WANTED, BOT, request.id, sentence=sentence)
    ledger.wipe(session, now, vault, request.id)
    ledger.narrate(session, now, request.id)


def park(session: Session, now: datetime, vault: Vault, request: Request, sentence: str) -> None:
    """The ledger may be behind the PBX: look once, and send nothing any more. Raises Stale."""
    ledger.execute(session, request, Execution.UNKNOWN, outcome=Outcome(sentence=sentence).to_json())
    audit.append(session, now, EventKind.UNKNOWN, BOT, request.id, sentence=sentence)
    ledger.wipe(session, now, vault, request.id)
    agenda.put(session, Work.FULFIL, ledger.pbx_key(request.ask.pbx), now, request.id)
    ledger.narrate(session, now, request.id)


def word(session: Session, now: datetime, request: Request, user: str, said: str) -> None:
    """What a person says. Raises Stale when nobody is asked, or the fate is known by now."""
    if not request.awaits_word:
        raise Stale
    ledger.execute(session, request, Execution.UNKNOWN)
    audit.append(session, now, EventKind.WORD_GIVEN, user, request.id, word=said)
    ledger.narrate(session, now, request.id)


def take_word(session: Session, now: datetime, vault: Vault, request: Request, user: str, *, there: bool) -> None:
    """The execution ends as that person says. Raises Stale."""
    state = Execution.DONE if there else Execution.FAILED
    seen = "it is there; the bot did not see it itself" if there else "it is not there. Nothing more was sent"
    sentence = f"looked at {request.ask.pbx} and says: {seen}."
    outcome = Outcome(sentence=sentence, by=user)
    ledger.end(session, now, vault, request, state, outcome, sentence=sentence, by=user, code="word_given")
    agenda.drop(session, Work.FULFIL, request.id)

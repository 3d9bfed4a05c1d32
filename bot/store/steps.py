"""The steps of a plan: each effect's intent is committed before the call, with the ids that the PBX listed then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.domain.plan import Step
from bot.domain.requests import StepState, allowed
from bot.exceptions import Stale
from bot.store.tables import StepRow


@dataclass(frozen=True)
class Taken:
    """One step as the ledger holds it. ``known`` are the ids that the PBX listed when it was intended."""

    step: Step
    state: StepState
    known: tuple[int, ...]
    result: dict[str, Any]
    changed_at: datetime


def taken(session: Session, request: int) -> dict[Step, Taken]:
    rows = session.scalars(select(StepRow).filter_by(request=request).execution_options(populate_existing=True))
    return {Step(row.step): _taken(row) for row in rows}


def _taken(row: StepRow) -> Taken:
    known = tuple(row.known)
    return Taken(Step(row.step), StepState(row.state), known, row.result, row.changed_at)


def intend(session: Session, now: datetime, request: int, step: Step, known: Sequence[int] = ()) -> None:
    """A step that has not begun. Raises IntegrityError if it has."""
    session.add(StepRow(request=request, step=step.value, state=StepState.INTENDED.value, known=list(known), result={},
                        changed_at=now))  # fmt: skip
    session.flush()


def move(session: Session, now: datetime, request: int, step: Step, old: StepState, new: StepState, **values: Any) -> None:
    """Raises Stale when the step is not in ``old`` any more, or the table has no such transition."""
    if not allowed(old, new):
        raise Stale(f"A step cannot go from {old} to {new}.")
    moved = (
        update(StepRow)
        .where(StepRow.request == request, StepRow.step == step.value, StepRow.state == old.value)
        .values(state=new.value, changed_at=now, **values)
        .returning(StepRow.step)
        .execution_options(synchronize_session=False)
    )
    if session.execute(moved).one_or_none() is None:
        raise Stale


def sent(session: Session, now: datetime, request: int, step: Step) -> None:
    """The call leaves after this is committed."""
    move(session, now, request, step, StepState.INTENDED, StepState.SENT)


def settle(session: Session, now: datetime, request: int, step: Step, old: StepState, **result: Any) -> None:
    move(session, now, request, step, old, StepState.SETTLED, result=result)


def note(session: Session, request: int, step: Step, **result: Any) -> None:
    """Remember something about a step on its way, such as how often it was looked for."""
    row = session.get_one(StepRow, (request, step.value), populate_existing=True)
    row.result = {**row.result, **result}


def forget(session: Session, request: int, step: Step) -> None:
    """Take a repeatable step anew: the PBX no longer has what it left there."""
    row = session.get(StepRow, (request, step.value))
    if row is not None:
        session.delete(row)
        session.flush()

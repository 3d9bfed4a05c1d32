"""`pbx-cert-bot audit verify | show | export | bundle | check`: the audit trail, for those who were not there."""

import csv
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.domain import records
from bot.domain.bundle import Bundle
from bot.domain.requests import MOST
from bot.domain.trail import Link
from bot.exceptions import BundleUnreadable, ChainBroken, StoreError
from bot.store import audit
from bot.store.bundles import bundle as make_bundle
from bot.store.engine import utc_now
from bot.store.excerpts import Wanted, excerpt
from bot.terminal import DEFAULT, ConfigFile, reading, tell, tell_finding

app = typer.Typer(no_args_is_help=True, help="The audit trail.")

#: As many digits of a head as tell it from all others.
ENOUGH = 12


def _head(text: str) -> str:
    head = text.strip().lower()
    if head and not (ENOUGH <= len(head) <= 64 and set(head) <= set("0123456789abcdef")):
        raise typer.BadParameter(f"must be a head of the audit chain, 64 hex digits, or at least the first {ENOUGH} of them.")
    return head


def _since(text: str) -> datetime | None:
    return _moment(text, timedelta()) if text else None


def _until(text: str) -> datetime | None:
    return _moment(text, timedelta(days=1)) if text else None


def _moment(text: str, a_day: timedelta) -> datetime:
    """A whole day where only a date is given; in UTC where no zone is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("must be a date or a time, such as 2026-03-01 or 2026-03-01T12:00+01:00.") from None
    is_date = len(text) <= len("2026-03-01")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) + (a_day if is_date else timedelta())


Head = Annotated[str, typer.Option(help="A head that was posted or printed before.", callback=_head, show_default=False)]
Since = Annotated[str, typer.Option(help="From this date or time on (UTC if no zone is given).", show_default=False)]
Until = Annotated[str, typer.Option(help="Up to this date, or before this time.", show_default=False)]
Person = Annotated[str, typer.Option(help="What this person did, or is named in, by their Slack id.", show_default=False)]
Pbx = Annotated[str, typer.Option(help="What concerns this PBX, by its name in the configuration.", show_default=False)]
Number = Annotated[int | None, typer.Option("--request", min=1, max=MOST - 1, help="One request.", show_default=False)]
File = Annotated[Path, typer.Argument(show_default=False)]


class Format(StrEnum):
    """How events are exported."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command()
def verify(head: Head = "", config: ConfigFile = DEFAULT) -> None:
    """Walk the whole chain; exit with 1 and name the first event that does not fit.

    With --head also prove that it is still the chain that once had this head.
    """
    with reading(config) as session:
        found = audit.verify(session, head)
    if head and found.at is None:
        raise ChainBroken(
            f"None of the {found.length} events has this head. The chain is unbroken in itself, so it was written anew, or "
            "the database was put back from a backup that is older than the head.",
            code="foreign_head",
        )
    witnessed = f" The head that you named is that of event {found.at}: nothing up to it was changed." if head else ""
    tell(f"{found.length} events, unbroken. Head: {found.head}{witnessed}")


@app.command()
def show(
    since: Since = "", until: Until = "", person: Person = "", pbx: Pbx = "", request: Number = None,
    config: ConfigFile = DEFAULT,
) -> None:  # fmt: skip
    """Print events, a line each: number, time, request, kind, who, and what else is known of it."""
    _write(config, _wanted(since, until, person, pbx, request), lambda link: typer.echo(records.to_line(link)))


@app.command()
def export(
    format: Annotated[Format, typer.Option(help="JSON lines, or a table for spreadsheets.")] = Format.JSONL,  # noqa: A002
    since: Since = "", until: Until = "", person: Person = "", pbx: Pbx = "", request: Number = None,
    config: ConfigFile = DEFAULT,
) -> None:  # fmt: skip
    """Write events to the standard output, with all that their hashes are made of."""
    wanted = _wanted(since, until, person, pbx, request)
    if format is Format.JSONL:
        _write(config, wanted, lambda link: typer.echo(json.dumps(records.to_json(link), ensure_ascii=False)))
        return
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(records.COLUMNS)
    _write(config, wanted, lambda link: rows.writerow(records.to_csv(link)))


@app.command()
def bundle(
    number: Annotated[int, typer.Argument(min=1, max=MOST - 1, help="The request's number.", show_default=False)],
    file: File,
    config: ConfigFile = DEFAULT,
) -> None:
    """Write all about one request, with its part of the chain, into a new file that `audit check` can check anywhere."""
    with reading(config) as session:
        content = make_bundle(session, number, utc_now())
    _write_new(file, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    chain = content["chain"]
    tell(f"{file} holds #{number} with events {chain[0]['number']} to {chain[-1]['number']} of {content['head']['length']}.")


@app.command()
def check(file: File, head: Head = "") -> None:
    """Check a file of `audit bundle`: no database and no configuration is needed. Exit with 1 if anything in it is not so.

    With --head also prove that its part of the chain belongs to the chain of that head.
    """
    findings = list(Bundle(_read(file)).findings(head))
    for finding in findings:
        tell_finding(finding.good, finding.what, finding.said)
    raise typer.Exit(1 if any(finding.good is False for finding in findings) else 0)


def _wanted(since: str, until: str, person: str, pbx: str, request: int | None) -> Wanted:
    return Wanted(_since(since), _until(until), person, pbx, request)


def _write(config: Path, wanted: Wanted, write: Callable[[Link], object]) -> None:
    with reading(config) as session:
        for link in excerpt(session, wanted):
            write(link)


def _write_new(file: Path, text: str) -> None:
    """Readable by its owner alone, as it names people; nothing is written over, and nothing half is left behind."""
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        why = "exists already, and nothing is written over" if isinstance(error, FileExistsError) else error.strerror
        raise StoreError(f"{file} was not written: {why}.", code="not_written") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        file.unlink(missing_ok=True)
        raise StoreError(f"{file} was not written: {error.strerror}.", code="not_written") from None


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleUnreadable(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise BundleUnreadable from None

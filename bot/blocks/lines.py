"""One line in the thread for each event that people should know of. A line says what its event says, and nothing more."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.blocks import changes, deciders, emergencies, parts, waiting, words
from bot.blocks.card import word_buttons
from bot.blocks.parts import Block
from bot.blocks.text import at, code, duration, escape, listed, quote
from bot.domain.events import BOT, Event, EventKind, Word
from bot.domain.plan import Evidence
from bot.domain.requests import Kind, ReceivedFile, Request, Shown
from bot.domain.rules import Rule
from bot.domain.schedule import Why
from bot.domain.wanted import silent

Line = Callable[[Event, Request], str | None]


def line(event: Event, request: Request, operators: Sequence[str] = ()) -> str | None:
    """The event in mrkdwn, at most 3000 characters; None for events that stay out of the thread.

    ``operators`` are those who may let the bot log in again; they are mentioned only where they have to do something.
    """
    tell = LINES.get(event.kind)
    text = tell(event, request) if tell else None
    if text is None:
        return None
    if event.kind in (EventKind.LOGIN_STOPPED, EventKind.PERSON_WANTED) and operators:
        text += f" {words.people(operators)}, please have a look."
    return text


def line_blocks(event: Event, request: Request, operators: Sequence[str] = ()) -> list[Block] | None:
    """The line as blocks, with a button where somebody can do something about it."""
    text = line(event, request, operators)
    if text is None:
        return None
    blocks = [parts.section(text)]
    if event.kind is EventKind.LOGIN_STOPPED and not request.has_ended:
        blocks.append(parts.actions(parts.button("Try again", "try_again", Shown.of(request).dump(), confirm=_careful())))
    if event.kind is EventKind.PERSON_WANTED and (buttons := word_buttons(request)):
        blocks.append(parts.actions(*buttons))
    if event.kind in (EventKind.EMERGENCY, EventKind.UNCONFIRMED) and (buttons := emergencies.buttons(request)):
        blocks.append(parts.actions(*buttons))
    return blocks


def _careful() -> Block:
    """After five refused logins a P-Series PBX blocks the address they came from, for everybody."""
    text = (
        "The bot logs in once more. Do this after the client ID and secret were put right: too many wrong logins block the bot."
    )
    return parts.confirm("Let the bot log in again?", text, "Try again")


def _voted(event: Event, request: Request) -> str | None:
    """A rejection decides at once, and its own line says who and why."""
    if event.data.get("verdict") != words.APPROVE:
        return None
    said = f"👍 {_who(event)} approved it: {_number(event, 'have')} of {_number(event, 'need')} approvals."
    if len(deciders.seats_in(event.data)) > 1:
        said += f" Still wanted: {deciders.told(event.data, silent(request))}."
    if event.data.get("reason"):
        said += f"\n{quote(str(event.data['reason']), 1400)}"
    return said


def _lapsed(event: Event, request: Request) -> str:
    why = words.LAPSED.get(event.data.get("code", "not_named"), "they may not take part any more")
    return f"✋ {_person(event, 'user')}'s approval counts no longer: {why} ({_code(event, 'rule')})."


def _rule_changed(event: Event, request: Request) -> str:
    now = Rule.from_json(event.data.get("today"))
    if now is None:
        return f"⚖️ The rule for this request is again the one that it was asked under ({_code(event, 'rule')})."
    return (
        f"⚖️ The rule for this request has changed: today it takes {deciders.asked_for(now)} ({code(now.line, 100)}). Both"
        " that and the rule it was asked under count, so the stricter one decides."
    )


def _approved(event: Event, request: Request) -> str:
    if event.data.get("emergency"):
        return f"👍 *approved* as an emergency, without the approvals. The bot will now do it on {_pbx(request)}."
    does = "" if request.starts_at else f" The bot will now do it on {_pbx(request)}."
    return f"👍 *approved*: that was the last approval needed.{does}"


def _scheduled(event: Event, request: Request) -> str:
    start = at(datetime.fromisoformat(event.data["start"])) if event.data.get("start") else "later"
    when = (
        f"as was asked for, the bot begins on {_pbx(request)} {start}"
        if event.data.get("why") == Why.ASKED
        else f"no maintenance window of {_pbx(request)} is open, so the bot begins with the next one, {start}"
    )
    return f"🗓️ *scheduled*: {when}. Until then <@{request.requester}> can withdraw it."


def _rejected(event: Event, request: Request) -> str:
    reason = quote(str(event.data.get("reason", "")), 2000)
    return f"🚫 *rejected* by {_who(event)}; nothing was done. <@{request.requester}>, the reason:\n{reason}"


def _withdrawn(event: Event, request: Request) -> str:
    return f"↩️ *withdrawn* by <@{request.requester}>; nothing was done."


def _void(event: Event, request: Request) -> str:
    until = _text(event, "until", 40)
    return (
        f"🗄️ *void*: the bot's database was put back from a backup and knows nothing of what happened after {until}, so this"
        f" cannot be approved any more. If it was approved here after that, look at {_pbx(request)}. "
        f"<@{request.requester}>, if it is still needed, press *Ask anew* on its card."
    )


def _applying(event: Event, request: Request) -> str:
    return f"⚙️ *applying*: the bot has begun on {_pbx(request)}."


def _looked(event: Event, request: Request) -> str:
    used, slots = _number(event, "used"), _number(event, "slots")
    return f"🔎 {_pbx(request)} has room: {used} of {slots} {_text(event, 'type', 40)} slots are used."


def _uploaded(event: Event, request: Request) -> str:
    return f"📤 Uploaded as {_code(event, 'name')} into the temporary storage of {_pbx(request)}; it is not listed there yet."


def _created(event: Event, request: Request) -> str:
    if request.ask.kind is Kind.APPLY:
        return f"📥 {_pbx(request)} took the application; it will be listed as {_code(event, 'name')}."
    return f"📥 {_pbx(request)} took {_code(event, 'name')}. Next, the bot looks whether it is listed."


def _issuing(event: Event, request: Request) -> str:
    return (
        f"⏳ *waiting*: {_pbx(request)} is applying for {_code(event, 'domain')}. It proves the domain by DNS, which can"
        " take several minutes."
    )


def _issued(event: Event, request: Request) -> str:
    return f"📜 The certificate for {_code(event, 'domain')} was issued{_after(event)}."


def _retrying(event: Event, request: Request) -> str:
    return f"🔁 {_sentence(event)} The bot will try again by itself; nobody has to do anything."


def _answering(event: Event, request: Request) -> str:
    return f"▶️ {_pbx(request)} answers again; the bot goes on."


def _settled(event: Event, request: Request) -> str:
    found = "it had arrived" if event.data.get("found") else "it had not arrived, so the bot makes it again"
    return f"🔎 A call about {_code(event, 'name')} was left without an answer. The bot looked at {_pbx(request)}: {found}."


def _login_stopped(event: Event, request: Request) -> str:
    return (
        f"🛑 {_sentence(event)} The bot does not log in to {_pbx(request)} any more until an operator presses Try again"
        " or gives it another address, client ID or secret. This request waits for that."
    )


def _login_resumed(event: Event, request: Request) -> str:
    return f"▶️ {_who(event)} lets the bot log in to {_pbx(request)} again."


def _done(event: Event, request: Request) -> str:
    if event.data.get("by"):
        return f"✅ *done*: {_said(event)} {_everybody(request)}{_delete_keys(request)}"
    facts = [
        f"id {_number(event, 'id')}",
        f"type {_text(event, 'type', 40)}",
        f"issued to {_code(event, 'issue_to')}",
        f"expires {_text(event, 'expires', 60)}",
    ]
    return (
        f"✅ *done*: {_pbx(request)} now lists {_code(event, 'name')} ({', '.join(facts)}). That is what _installed_ means"
        " here: listed. Which certificate the web server uses is not changed by this."
        f"{_took(event, request)} {_everybody(request)}{_delete_keys(request)}"
    )


def _failed(event: Event, request: Request) -> str:
    """The sentence mostly ends in its code already; a code said twice helps nobody."""
    sentence = str(event.data.get("sentence", ""))
    if event.data.get("by"):
        return f"❌ *failed*: {_said(event)} {_everybody(request)}{_delete_keys(request)}"
    codes = [str(event.data.get("code") or "")]
    codes += [f"apply_tip_code {event.data['apply_tip_code']}"] if event.data.get("apply_tip_code") is not None else []
    missing = ", ".join(told for told in codes if told and told not in sentence)
    tail = f" [{escape(missing, 200)}]" if missing else ""
    return f"❌ *failed*: {_sentence(event)}{tail} {_everybody(request)}{_delete_keys(request)}"


def _unknown(event: Event, request: Request) -> str:
    return (
        f"❓ *unknown*: {_sentence(event)} The bot looks at the PBX's list before it does anything else, and goes on by itself"
        " when it knows."
    )


def _person_wanted(event: Event, request: Request) -> str:
    return (
        f"❓ *unknown*: {_sentence(event)} The bot cannot find out by itself and sends nothing more. Please look at the"
        f" certificates on {_pbx(request)}, and say here or on the card what you see."
        f" {_everybody(request)}{_delete_keys(request)}"
    )


def _word_given(event: Event, request: Request) -> str | None:
    """That it is there, or not, ends the request, and the line of that end says who said so."""
    if event.data.get("word") != Word.CHECK_AGAIN:
        return None
    return f"🔎 {_who(event)} lets the bot look at {_pbx(request)} again."


#: What is missing here is not told in the thread: drafts, checks, refused clicks, wiped secrets, and the card itself.
LINES: Mapping[EventKind, Line] = {
    EventKind.VOTED: _voted,
    EventKind.LAPSED: _lapsed,
    EventKind.RULE_CHANGED: _rule_changed,
    EventKind.EDITED: changes.edited,
    EventKind.APPROVED: _approved,
    EventKind.SCHEDULED: _scheduled,
    EventKind.REJECTED: _rejected,
    EventKind.WITHDRAWN: _withdrawn,
    EventKind.REMINDED: waiting.reminded,
    EventKind.ESCALATED: waiting.escalated,
    EventKind.EXPIRED: waiting.expired,
    EventKind.VOID: _void,
    EventKind.APPLYING: _applying,
    EventKind.LOOKED: _looked,
    EventKind.UPLOADED: _uploaded,
    EventKind.CREATED: _created,
    EventKind.ISSUING: _issuing,
    EventKind.ISSUED: _issued,
    EventKind.RETRYING: _retrying,
    EventKind.ANSWERING: _answering,
    EventKind.SETTLED: _settled,
    EventKind.LOGIN_STOPPED: _login_stopped,
    EventKind.LOGIN_RESUMED: _login_resumed,
    EventKind.DONE: _done,
    EventKind.FAILED: _failed,
    EventKind.UNKNOWN: _unknown,
    EventKind.PERSON_WANTED: _person_wanted,
    EventKind.WORD_GIVEN: _word_given,
    EventKind.EMERGENCY: emergencies.line,
    EventKind.CONFIRMED: emergencies.line,
    EventKind.OBJECTED: emergencies.line,
    EventKind.UNCONFIRMED: emergencies.line,
}


def _pbx(request: Request) -> str:
    return code(request.ask.pbx, 100)


def _who(event: Event) -> str:
    return "the bot" if event.actor == BOT else f"<@{event.actor}>"


def _person(event: Event, name: str) -> str:
    user = str(event.data.get(name, ""))
    return f"<@{user}>" if user.isalnum() and user.isascii() else "somebody"


def _value(event: Event, name: str) -> Any:
    value = event.data.get(name)
    return "-" if value is None or value == "" else value


def _text(event: Event, name: str, limit: int) -> str:
    return escape(str(_value(event, name)), limit)


def _number(event: Event, name: str) -> str:
    return _text(event, name, 20)


def _code(event: Event, name: str) -> str:
    return code(str(_value(event, name)), 260)


def _sentence(event: Event) -> str:
    return escape(str(event.data.get("sentence", "")), 1000)


def _said(event: Event) -> str:
    return f"<@{event.data['by']}> {_sentence(event)}"


def _after(event: Event) -> str:
    seconds = event.data.get("seconds")
    return f" after {duration(float(seconds))}" if seconds is not None else ""


def _took(event: Event, request: Request) -> str:
    seconds = event.data.get("seconds")
    since = "start" if request.starts_at else "approval"
    return f" It took {duration(float(seconds))} from the {since}." if seconds is not None else ""


def _everybody(request: Request) -> str:
    """Those who are told of an end: who asked, and who voted for it."""
    return words.people(list(dict.fromkeys((request.requester, *words.approvers_of(request)))), 400)


def _delete_keys(request: Request) -> str:
    """Bots delete only their own files (docs.slack.dev/reference/methods/files.delete), so a person has to."""
    held = set(Evidence.from_json(request.evidence).key_files) if request.evidence else set()
    files = [file for file in request.ask.files if file.held_key or file.name in held]
    if not files:
        return ""
    names = listed([_linked(file) for file in files], 3)
    return f"\n🔑 <@{request.requester}>, please delete {names} from Slack now: a private key is in it."


def _linked(file: ReceivedFile) -> str:
    """A link whose address could end early, or is longer than any of Slack's, is no link."""
    is_link = file.permalink.startswith(("https://", "http://"))
    fits = is_link and len(file.permalink) < 300 and not set(file.permalink) & set("<>|")
    return f"<{file.permalink}|{escape(file.name, 80)}>" if fits else code(file.name, 80)

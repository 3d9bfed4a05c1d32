"""Everything about a request that the card had no room for, in pages. The digest that is approved covers all of it."""

from collections.abc import Iterator

from bot.blocks import emergencies, evidence, parts, words
from bot.blocks.card import ending
from bot.blocks.parts import Block, View
from bot.blocks.text import at, code, escape, packed, pieces, quote
from bot.domain.plan import Evidence
from bot.domain.requests import Request, Shown
from bot.domain.rules import mention

#: A view may have 100 blocks and 250 kB (docs.slack.dev/reference/methods/views.open, view_too_large).
PAGE = 20


def details(request: Request, page: int = 0) -> View:
    """One page, counted from 0; a page that there is not is the last one."""
    texts = packed(_lines(request))
    pages = -(-len(texts) // PAGE)
    page = max(0, min(page, pages - 1))
    blocks = parts.sections(texts[page * PAGE : (page + 1) * PAGE])
    if pages > 1:
        blocks += [parts.context(f"Page {page + 1} of {pages}"), parts.actions(_turn(page, pages))]
    metadata = Shown.of(request).dump()
    return parts.modal(f"Details of #{request.id}", blocks, callback_id="details", metadata=metadata, close="Close")


def _turn(page: int, pages: int) -> Block:
    if page + 1 < pages:
        return parts.button(f"Next: page {page + 2}", "details_page", str(page + 1))
    return parts.button("Back to page 1", "details_page", "0")


def _lines(request: Request) -> Iterator[str]:
    yield f"*{escape(words.title(request), 300)}*"
    yield words.state(request)
    yield from emergencies.lines(request)
    yield from ending(request)
    yield f"Asked for by {mention(request.requester)}, {at(request.created_at)}"
    if request.reduced_at is not None:
        yield words.reduced(request.reduced_at)
        return
    if request.ask.after:
        yield f"Asked anew after #{request.ask.after}"
    yield "*Why*"
    yield quote(request.ask.reason, lines=500)
    if request.evidence is not None:
        yield from _evidence(request, Evidence.from_json(request.evidence))
    when = evidence.when_lines(request.ask, Evidence.from_json(request.evidence)) if request.evidence else []
    yield from ["*What the bot will do*", *when, *evidence.plan_lines(request.plan)]
    yield from _votes(request)
    if request.digest:
        yield f"*Digest of what is approved*: {code(request.digest)}"


def _evidence(request: Request, known: Evidence) -> Iterator[str]:
    for fact in [*evidence.facts(request.ask, known, request.created_at), *evidence.chain_facts(known)]:
        yield from fact.full()
    if known.certificate:
        yield f"*Serial number*: {code(known.certificate.serial)}"
    if known.public_pem:
        yield "*Certificates as PEM*"
        yield from _preformatted(known.public_pem)


def _preformatted(text: str) -> list[str]:
    """The whole text in code blocks, each of which fits into one section."""
    lines = [escape(piece, 2900) for line in text.replace("`", "'").splitlines() for piece in pieces(line, 2900)]
    return [f"```\n{block}\n```" for block in packed(lines, 2900)]


def _votes(request: Request) -> Iterator[str]:
    for vote in request.votes:
        yield f"*{escape(vote.verdict, 20)}* by {mention(vote.user)}, {at(vote.at)}"
        if vote.reason:
            yield quote(vote.reason)

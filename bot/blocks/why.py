"""Why somebody may or may not decide a request: the rule behind it, what is missing, and until when."""

import re
from dataclasses import replace

from bot.blocks import deciders, emergencies, words
from bot.blocks.text import at, code, escape
from bot.domain.explanation import Explanation
from bot.domain.rules import Rule


def why(told: Explanation) -> str:
    """In mrkdwn, for one person alone: here those are named, too, who are not pinged on the card."""
    request = told.request
    lines = [f"*{escape(words.title(request), 300)}*", words.state(request), *emergencies.lines(request)]
    if told.refusal is not None:
        lines.append(f"🚫 {told.refusal.reason}")
    for rule in told.rules:
        lines += _rule(rule, told)
    if told.tried:
        lines.append("*Rules before it that do not match*")
        lines += [f"• {code(line, 100)}: {escape(why_not, 300)}" for line, why_not in told.tried]
    if told.verdict is not None:
        sign = "✅" if told.verdict.permitted else "🚫"
        lines.append(f"{sign} *You*: {told.verdict.reason} ({code(told.verdict.rule, 100)}) [{told.verdict.code}]")
    if request.is_open and request.expires_at:
        lines.append(f"It expires {at(request.expires_at)} if nobody decides.")
    return "\n".join(lines)


def why_plain(told: Explanation) -> str:
    """The same for a terminal: ids in place of mentions."""
    text = re.sub(r"<!date\^\d+\^[^|>]*\|([^>]*)>", r"\1", why(told))
    text = re.sub(r"<(?:@|!subteam\^|#)([A-Z0-9]+)>", r"\1", text)
    return text.replace("*", "").replace("`", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _rule(named: Rule, told: Explanation) -> list[str]:
    rule = replace(named, silent=())
    is_kept = told.request.rule is not None and named.is_same(told.request.rule)
    when = "it was asked under" if is_kept or told.request.rule is None else "of today's configuration, which counts too,"
    lines = [f"⚖️ The rule {when}: {code(rule.line, 100)}. It takes {deciders.asked_for(rule)}."]
    if rule.approvers:
        lines.append(f"*Could approve*: {words.people([each for each in rule.approvers if each != told.request.requester])}")
    lines += emergencies.of_rule(rule)
    if told.request.is_open and (wanted := deciders.still_wanted(told.request, rule, ())):
        lines.append(f"*Still wanted*: {wanted}")
    return lines

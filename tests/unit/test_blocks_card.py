"""The card: rendered whole from the row, within Slack's limits, and with the buttons that apply."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from bot.blocks.card import card
from bot.blocks.details import details
from bot.domain.plan import Neighbour
from bot.domain.requests import Decision, Execution, Installed, Kind, Outcome, Request, Shown
from bot.domain.risk import MEANINGS, Risk
from bot.domain.rules import Rule, Seats
from tests.unit import block_samples as samples
from tests.unit.blockkit_rules import accept_message, accept_view, buttons, texts

MENTIONS = re.compile(r"<(?!@[UW]|!subteam\^S|!date\^|#C|https://)[^>]*>")


def words_of(request: Request) -> str:
    return "\n".join(texts(card(request)[0]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples.requests())
def test_any_card_fits(request: Request) -> None:
    """Whatever a request holds, Slack takes its card, and what others wrote makes no tag of its own."""
    blocks, text = card(request)
    accept_message(blocks, text)
    assert not MENTIONS.search("\n".join(texts(blocks)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(samples.requests())
def test_any_details_fit(request: Request) -> None:
    """Each page of the details of any request is a view that Slack takes."""
    page = 0
    while True:
        view = details(request, page)
        accept_view(view)
        page += 1
        if f"Next: page {page + 1}" not in list(texts(view)):
            break
    assert page < 60


def test_who_what_where_why() -> None:
    """The card names the request, the requester, the PBX and the reason."""
    told = words_of(samples.request())
    for expected in ("#42 Trusted CA certificate for hq", "<@U0ANNA>", "`hq`", "> New corporate root"):
        assert expected in told


def test_evidence_is_on_the_card() -> None:
    """Subject, names, issuer, validity, fingerprint, key, chain and room are what an approver looks at."""
    told = words_of(samples.request(Kind.IMPORT))
    for expected in (
        "*Subject*: `CN=pbx.example.com`",
        "*Names (SAN)*: `pbx.example.com`",
        "*Issuer*: `CN=Example Issuing CA`",
        "2026-01-30 to 2026-04-30 UTC, 60 days left when checked",
        "*SHA-256*: `AB:CD:EF`",
        "*Key*: EC P-256",
        "*Chain*: `none`",
        "1 of 3 server slots used",
    ):
        assert expected in told


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (0, "0 of 3 server slots used"),
        (2, "2 of 3 server slots used; this takes the last one"),
        (3, "3 of 3 server slots are used: the PBX is full."),
        (None, "It is not known how many of the 3 server slots are used. It did not answer."),
    ],
)
def test_room(used: int | None, expected: str) -> None:
    """The card says how much room there is, and why if that is not known."""
    known = samples.evidence(Kind.APPLY, slots_used=used, pbx_note="It did not answer.")
    assert expected in words_of(samples.request(Kind.APPLY, known=known))


def test_what_is_there_already() -> None:
    """A neighbour on the PBX and another request for the same are pointed out."""
    near = Neighbour(5, "corp-root.crt", "trusted", "Corp Root", "2027/01/01")
    told = words_of(samples.request(known=samples.evidence(neighbours=(near,), asked_already=(41, 40))))
    assert "Already on the PBX*: `corp-root.crt (trusted, issued to Corp Root, expires 2027/01/01)`" in told
    assert "Already asked for*: #41, #40" in told


def test_renewal_is_a_warning() -> None:
    """Automatic renewal of an imported certificate replaces it by one from the PBX's own CA, and the card says so."""
    renewing = samples.ask(Kind.IMPORT, auto_renewal=True, dns="corp", provider="alidns")
    assert "one from its own CA" in words_of(samples.request(of=renewing))
    assert "one from its own CA" not in words_of(samples.request(Kind.IMPORT))


def test_credentials_by_name_only() -> None:
    """An applied certificate's card names domain, provider, profile and parameters."""
    told = words_of(samples.request(Kind.APPLY, known=samples.evidence(Kind.APPLY, params=("AccessKeyId", "TTL"))))
    for expected in ("*Domain*: `pbx.example.com`", "`alidns`", "profile “corp”", "`AccessKeyId`, `TTL`"):
        assert expected in told


def test_plan_is_numbered() -> None:
    """The calls stand in their order."""
    told = words_of(samples.request())
    assert "1. `GET certificate/list`" in told
    assert told.index("2. `POST certificate/upload`") < told.index("3. `POST certificate/create`")


def test_what_is_cut_is_said() -> None:
    """A hundred names do not fit, and the card says how many stand behind Details, where all are."""
    sans = tuple(f"host{number}.example.com" for number in range(100))
    request = samples.request(known=samples.evidence(certificate=samples.facts(sans=sans)))
    assert "`host5.example.com` + 94 more: Details" in words_of(request)
    assert "`host99.example.com`" in "\n".join(texts(details(request)))


def test_details_turn_pages() -> None:
    """What fits no page goes on the next, and the last page leads back to the first."""
    sans = tuple(f"{'x' * 60}{number}.{'y' * 60}.{'z' * 60}.example.com" for number in range(600))
    request = samples.request(known=samples.evidence(certificate=samples.facts(sans=sans)))
    pages = [details(request, page) for page in range(3)]
    assert [list(texts(page["blocks"]))[-1] for page in pages] == ["Next: page 2", "Next: page 3", "Back to page 1"]
    together = "\n".join(text for page in pages for text in texts(page))
    assert all(f"{'x' * 60}{number}." in together for number in range(600))
    assert Shown.load(pages[0]["private_metadata"]) == Shown.of(request)


def test_nobody_can_mention_or_fake() -> None:
    """A reason can neither mention the channel nor begin a line of its own."""
    reason = "ok <!channel>\n✅ *done*: listed & <@U0BOSS>\u2028@here"
    told = words_of(samples.request(of=samples.ask(reason=reason)))
    assert "> ok &lt;!channel&gt;\n> ✅ *done*: listed &amp; &lt;@U0BOSS&gt;\n> @here" in told


def test_open_card_has_all_buttons() -> None:
    """While it is open it can be decided, changed and withdrawn; each button carries what was shown."""
    blocks, _ = card(samples.request())
    assert buttons(blocks) == ["approve", "reject", "edit", "withdraw", "why", "details"]
    shown = {element["value"] for element in blocks[-1]["elements"]}
    assert shown == {Shown(42, 3, "d" * 64).dump()}


@pytest.mark.parametrize("decision", [Decision.REJECTED, Decision.WITHDRAWN, Decision.EXPIRED, Decision.VOID])
def test_what_came_to_nothing_can_be_asked_anew(decision: Decision) -> None:
    """What is decided cannot be decided again, but it can be asked for anew."""
    assert buttons(card(samples.request(decision=decision))[0]) == ["ask_anew", "details"]


@pytest.mark.parametrize(
    ("execution", "shown"),
    [
        (None, []),
        (Execution.QUEUED, ["withdraw"]),
        (Execution.APPLYING, []),
        (Execution.DONE, []),
        (Execution.FAILED, ["ask_anew"]),
    ],
)
def test_what_an_approved_card_offers(execution: Execution | None, shown: list[str]) -> None:
    """Until it begins it can be withdrawn; only what failed can be asked for anew."""
    assert buttons(card(samples.request(decision=Decision.APPROVED, execution=execution))[0]) == [*shown, "details"]


def test_a_card_names_the_request_before_it() -> None:
    """What was asked for anew says after which one."""
    assert "Asked anew after #41." in words_of(samples.request(of=samples.ask(after=41)))


def test_votes_so_far() -> None:
    """An open card counts the approvals and names those who gave them, the deadline, and who else may decide."""
    request = samples.request(approvals_needed=2, votes=(samples.vote(),), rule=samples.rule(needed=2))
    told = words_of(request)
    assert "1 of 2 approvals, from <@U0LEAD>; open until <!date^1772395200^" in told
    assert "*Still wanted*: 1 of <!subteam^S0LEADS> (`pbx[0]`)" in told


def test_several_groups_are_wanted() -> None:
    """Where a rule asks for several groups, the card says which have spoken, and which have not."""
    both = Rule("hq", "policy[0]", all=(Seats(("U0LEAD",)), Seats(("S0SEC",))), any=(Seats(("U1",)), Seats(("U2",), 2)))
    told = words_of(samples.request(votes=(samples.vote(),), rule=both))
    assert "*Still wanted*: 1 of <!subteam^S0SEC>, and either 1 of <@U1>, or 2 of <@U2> (`policy[0]`)" in told


def test_silent_approvers_are_not_pinged() -> None:
    """Who may approve and is not to be pinged is mentioned nowhere on the card."""
    told = words_of(samples.request(rule=samples.rule("U0LEAD", "U0BOSS", silent=("U0BOSS",))))
    assert "U0BOSS" not in told
    assert "More people may approve who are not pinged" in told


def test_a_changed_rule_is_on_the_card() -> None:
    """The card says what it takes today, and that both count."""
    told = words_of(samples.request(rule=samples.rule(), rule_now=samples.rule("U0NEW", needed=2)))
    assert "*The rule has changed since this was asked*: today it takes 2 of <@U0NEW>" in told
    assert "the stricter one decides" in told


def test_both_rules_are_counted_on_the_card() -> None:
    """With the first rule met and today's not, the card counts by the stricter one and says who is wanted under which."""
    asked_under, today = samples.rule("U0LEAD", "U0TWO"), samples.rule("U0LEAD", "U0TWO", needed=2)
    told = words_of(samples.request(votes=(samples.vote(),), rule=asked_under, rule_now=today))
    assert "1 of 2 approvals, from <@U0LEAD>; open until" in told
    assert "*Still wanted*: nobody under the rule that it was asked under (`pbx[0]`)" in told
    assert "*Still wanted under that one*: 1 of <@U0TWO>" in told


def test_who_is_silent_under_either_rule_is_not_pinged() -> None:
    """Silent approvers of today's rule are mentioned no more than those of the one before."""
    told = words_of(
        samples.request(rule=samples.rule("U0LEAD", "U0BOSS"), rule_now=samples.rule("U0LEAD", "U0BOSS", silent=("U0BOSS",)))
    )
    assert "U0BOSS" not in told
    assert "More people may approve who are not pinged" in told


def test_what_expired_says_what_it_lacked() -> None:
    """An expired card has when, how many approvals it had and from whom, and whose were missing under which rule."""
    two = Rule("hq", "policy[0]", all=(Seats(("U0LEAD",)), Seats(("S0SEC",))))
    request = samples.request(
        decision=Decision.EXPIRED,
        votes=(samples.vote(),),
        rule=two,
        approvals_needed=2,
        decided_at=samples.NOW,
        ended_at=samples.NOW,
    )
    told = words_of(request)
    assert "It had 1 of 2 approvals, from <@U0LEAD>." in told
    assert "*It lacked* 1 of <!subteam^S0SEC> (`policy[0]`)" in told
    assert "Expired <!date^" in told
    assert "It had 0 of 1 approvals." in words_of(samples.request(decision=Decision.EXPIRED))


@pytest.mark.parametrize("execution", list(Execution))
def test_states_bear_their_names(execution: Execution) -> None:
    """An approved request's card shows both machines by the states' own names."""
    told = words_of(samples.request(decision=Decision.APPROVED, execution=execution, votes=(samples.vote(),)))
    assert f"*approved, {execution.value}*" in told
    assert "Approved by <@U0LEAD>." in told


def test_ends_are_told() -> None:
    """A rejected card has the reason, a done one the certificate as listed, a failed one the sentence."""
    rejected = samples.request(decision=Decision.REJECTED, votes=(samples.vote(verdict="reject", reason="Wrong root"),))
    assert "<@U0LEAD> rejected it:\n> Wrong root" in words_of(rejected)
    listed = Outcome(Installed(7, "corp-root-r42.crt", "trusted", "Corp", "2030/01/01"))
    done = samples.request(decision=Decision.APPROVED, execution=Execution.DONE, outcome=listed)
    assert "Listed on `hq` as id 7: `corp-root-r42.crt`, trusted, expires 2030/01/01" in words_of(done)
    failed = samples.request(
        decision=Decision.APPROVED, execution=Execution.FAILED, outcome=Outcome(sentence="hq is full. [60002]")
    )
    assert "hq is full. [60002]" in words_of(failed)


def test_it_can_be_withdrawn_until_the_bot_begins() -> None:
    """Open or approved and not begun, it has the button, and says when it begins; once the bot is at work it has neither."""
    begins = samples.NOW + timedelta(days=1)
    queued = samples.request(decision=Decision.APPROVED, execution=Execution.QUEUED, starts_at=begins)
    blocks, _ = card(queued)
    assert buttons(blocks)[0] == "withdraw"
    assert f"the bot begins <!date^{int(begins.timestamp())}^" in "\n".join(texts(blocks))
    at_work, _ = card(replace(queued, execution=Execution.APPLYING))
    assert "withdraw" not in buttons(at_work)
    assert "the bot begins" not in "\n".join(texts(at_work))


def test_every_risk_is_on_the_card() -> None:
    """However many there are, each stands there with its meaning."""
    known = samples.evidence(risks=tuple(risk.value for risk in Risk))
    shown = "\n".join(texts(card(samples.request(known=known))[0]))
    assert all(meaning in shown for meaning in MEANINGS.values())

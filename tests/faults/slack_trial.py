"""One request on its way through one fault of Slack: as `tests.faults.trial`, with people who come back."""

from collections import Counter

from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Delivery, Json
from tests.faults import slack_hands as hands
from tests.faults.driving import begins
from tests.faults.rights import Case
from tests.faults.slack_hands import MADE, POST, REACHED, Moment
from tests.faults.trial import Trial
from tests.flow.world import World

#: Seconds by which time jumps: longer than any pause of a first repetition.
JUMP = 11


class SlackTrial(Trial):
    """The fault of a case lies in wait from its moment on."""

    def __init__(self, world: World, case: Case) -> None:
        self.case, self.reached = case, REACHED[case.call]
        super().__init__(world, self.reached.kind)

    def lay(self, moment: Moment) -> None:
        """Let the fault lie in wait if this is its moment."""
        if moment is not self.reached.moment or self.case.fault == "message_not_found":
            return
        self.reached.prepare(self.world)
        if self.case.call == hands.DIRECT:
            self.world.slack.on_change(self._lay_once_opened)
        else:
            self.world.slack.trouble.fail(self.reached.method, skip=self.reached.skip, **MADE[self.case.fault])

    is_laid = False

    def _lay_once_opened(self) -> None:
        """What is posted next, once a direct conversation was asked for, goes there."""
        if not self.is_laid and self.world.slack_calls("conversations.open"):
            self.is_laid = True
            self.world.slack.trouble.fail(POST, **MADE[self.case.fault])

    # What people do

    def open(self) -> Modal:
        self.lay(Moment.OPEN)
        self.world.tess.command("/pbx-cert", "", self.world.certs)
        return self.world.tess.wait_modal(callback_id="form")

    def fill_in(self, form: Modal) -> Modal:
        if self.kind == "apply":
            return self.world.fill_apply(form)
        return self.world.fill_trusted(form, pbx=self.reached.pbx)

    def submit(self, form: Modal) -> Delivery:
        """Ready when the modal shows what the check said, or when there is nothing more to come."""
        self.lay(Moment.CHECK)
        delivery = form.submit()
        self.driver.until(lambda: self._is_checked(form), seconds=JUMP, at_rest=self._nothing)
        return delivery

    def _is_checked(self, form: Modal) -> bool:
        return form.view["callback_id"] != "checking" or bool(self.world.tess.dms())

    def confirm(self, form: Modal) -> Delivery:
        assert form.view["callback_id"] == "confirm", form.texts()
        self.lay(Moment.ASK)
        delivery = form.submit()
        self.driver.until(lambda: bool(self.world.cards()) and not self.driver.moves(1), seconds=JUMP, at_rest=self._nothing)
        self.card = self.world.cards()[0]
        if self.reached.method == "usergroups.users.list":
            self.world.clock.advance(seconds=31)  # the check has read the group, and a click believes that for half a minute
        return delivery

    def ask(self) -> Json:
        form = self.fill_in(self.open())
        self.submit(form)
        self.confirm(form)
        return self.card

    def until_all_told(self) -> None:
        self.driver.until(lambda: self.driver.is_over(1), seconds=JUMP, at_rest=self._nothing)

    def _nothing(self) -> None:
        """Nothing is mended from outside: each fault hits once."""

    # What it came to

    def pbx_is_right(self) -> None:
        """One effect, on the PBX that was asked for."""
        pbx = self.world.hq if self.reached.pbx == "hq" else self.world.branch
        assert pbx.count("certificate/create", 0) == 1
        assert len(pbx.certificates) == 1

    def is_told_whole(self) -> None:
        """Done, and each line of the story once and in order; nothing is posted twice, anywhere."""
        told = [line.replace("`branch`", "`hq`") for line in self.told()]
        self._follows(told, self.story())
        self.shows("approved, done")
        self.pbx_is_right()
        self.is_posted_once()
        assert begins(told, "🔁", "❓", "🛑", "❌") == []

    def is_posted_once(self) -> None:
        posted = Counter(
            call.args["metadata"]["event_payload"]["event"]
            for call in self.world.slack.log
            if call.method == POST and call.effect and call.args.get("metadata")
        )
        assert [event for event, times in posted.items() if times > 1] == []

    def heard(self, words: str) -> int:
        """How many messages for the requester alone have these words."""
        return sum(words in said for said in self.world.told(self.world.tess))

    def holds_for_slack(self) -> None:
        assert len(self.world.cards()) == 1
        self.is_in_order()
        self.world.verify_chain()
        self.is_silent()
        assert self.sealed() == [], "secrets outlive the request"

"""Where the storm passes: four PBXs whose administrators make room, and people enough to ask and to decide."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.slack import Person
from bot.sandbox.slack.records import Call
from tests.crash.shared_clock import SharedClock
from tests.flow.world import World

REQUESTERS, APPROVERS = 6, 3
#: For how long a request is open.
PENDING_FOR = 2 * 3600.0  # seconds

_PBX = """
[[pbx]]
name = "{pbx.name}"
url = "{pbx.url}"
client_id = "{pbx.client_id}"
client_secret = {{ env = "{secret}" }}
tls = "sha256:{pbx.fingerprint}"
approvers = {approvers}
"""
_DONE = re.compile(r"✅ \*done\*: `([^`]+)` now lists `[^`]+` \(id (\d+)")


class StormWorld(World):
    """A world with two PBXs more. ``north`` wants two approvals."""

    def __init__(self, folder: Path, url: str) -> None:
        clock = SharedClock(folder / "clock")
        self.more = {"NORTH_SECRET": PbxSimulator("north", now=clock), "SOUTH_SECRET": PbxSimulator("south", now=clock)}
        for pbx in self.more.values():
            pbx.start()
        super().__init__(folder, clock=clock, database_url=url)
        self.requesters = [self.slack.add_person(f"Requester {number}") for number in range(REQUESTERS)]
        self.leads_of_all = [self.slack.add_person(f"Lead {number}") for number in range(APPROVERS)]
        self.slack.join(self.certs, *self.requesters, *self.leads_of_all)
        self.slack.join(self.branch_channel, *self.requesters, *self.leads_of_all)
        self.approvers = tuple(person.id for person in self.leads_of_all)
        approvers = str([*self.approvers])
        more = [_PBX.format(pbx=pbx, secret=secret, approvers=approvers) for secret, pbx in self.more.items()]
        self.pbx_lines = more[0] + "approvals = 2\n" + more[1]
        #: The cards, in the order of their appearance, as channel and ts.
        self.posted: list[dict[str, Any]] = []
        self._heard = 0
        self._ended: list[tuple[str, int]] = []
        self.slack.on_change(self._listen)

    @property
    def pbxs(self) -> dict[str, PbxSimulator]:
        return {pbx.name: pbx for pbx in (self.hq, self.branch, *self.more.values())}

    def environ(self) -> Mapping[str, str]:
        return {**super().environ(), **{secret: pbx.client_secret for secret, pbx in self.more.items()}}

    def write_config(self) -> Path:
        path = super().write_config()
        path.write_text(path.read_text().replace('pending_for = "8h"', f'pending_for = "{PENDING_FOR / 3600:g}h"'))
        return path

    def anybody(self) -> list[Person]:
        return [*self.requesters, *self.leads_of_all]

    def make_room(self) -> None:
        """What is done and told is not needed in a simulation any more: its administrator deletes it."""
        with self.slack.state.changed:
            ended, self._ended = self._ended, []
        for pbx, number in ended:
            with suppress(Exception):  # the same line again, after a lost answer
                self.pbxs[pbx].remove_certificate(number)

    def end(self) -> None:
        self.slack.stop()
        for pbx in self.pbxs.values():
            pbx.stop()

    def _listen(self) -> None:
        """Under the workspace's lock, so it only notes what is to be done. A call's effect comes with a later change."""
        log = self.slack.state.log
        while self._heard < len(log) and log[self._heard].ended_at is not None:
            self._note(log[self._heard])
            self._heard += 1

    def _note(self, call: Call) -> None:
        if call.method != "chat.postMessage" or call.effect is None:
            return
        self._ended += [(pbx, int(number)) for pbx, number in _DONE.findall(str(call.args.get("text", "")))]
        blocks = call.args.get("blocks")  # a refusal that is told directly has none
        if "thread_ts" not in call.args and blocks and blocks[0]["type"] == "header":
            self.posted.append({"channel": call.args["channel"], "ts": call.effect})

"""One simulated PBX as the page shows it, and the switches by which it gets into trouble."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.sandbox.pbx import PbxCall, PbxSimulator, Refusal
from bot.sandbox.pbx.certificates import KINDS, LIMITS, SERVER
from bot.sandbox.pbx.sessions import MOST_TOKENS

SLOW_SECONDS = 5.0
LAST_CALLS = 8
ANY = "*"
CREATE = "certificate/create"


@dataclass(frozen=True)
class Switch:
    """A trouble that can be switched on and off."""

    key: str
    label: str
    about: str
    turn: Callable[[bool], None]
    on: Callable[[], bool]


class Panel:
    """Acts on the PBX from outside, as its administrator, its network or other clients of it would."""

    def __init__(self, pbx: PbxSimulator) -> None:
        self.pbx = pbx
        self._flags: set[str] = set()
        self._filled: list[int] = []
        self.switches = {switch.key: switch for switch in self._made()}

    @property
    def name(self) -> str:
        return self.pbx.name

    def turn(self, key: str, on: bool) -> None:
        """KeyError for a switch that there is not."""
        switch = self.switches[key]
        if switch.on() != on:
            switch.turn(on)

    def shown(self) -> dict[str, Any]:
        """Everything but the handshake. No secret is in it: the record of calls holds none."""
        pbx, certificates = self.pbx, self.pbx.certificates
        in_use = pbx.web_certificate
        return {
            "name": pbx.name,
            "url": pbx.url,
            "reachable": not self.switches["unreachable"].on(),
            "slots": [[kind, sum(one.type == kind for one in certificates), LIMITS[kind]] for kind in KINDS],
            "certificates": [
                {**_entry(one.listed()), "web": one.type == SERVER and one.name == in_use} for one in certificates
            ],
            "web": in_use,
            "files": [file.name for file in pbx.temporary_files],
            "tokens": [pbx.live_tokens, MOST_TOKENS],
            "calls": [_call(call) for call in pbx.calls[-LAST_CALLS:]],
            "switches": [[each.key, each.label, each.about, each.on()] for each in self.switches.values()],
        }

    # The switches

    def _made(self) -> list[Switch]:
        trouble = self.pbx.trouble
        return [
            Switch("slow", "Slow", f"Every answer comes {SLOW_SECONDS:.0f} s late.", self._slow, lambda: "slow" in self._flags),
            Switch(
                "drop",
                "Drop the next answer",
                "The next certificate is created, but the answer never arrives.",
                self._drop,
                lambda: trouble.awaits(CREATE, "drop"),
            ),
            Switch("full", "Full", "Somebody fills every slot.", self._full, lambda: bool(self._filled)),
            Switch("dns", "DNS fails", "No domain can be validated.", self._dns, lambda: "dns" in self._flags),
            Switch("tokens", "No tokens left", "Another client holds all 8 access tokens.", self._tokens, self._none_left),
            Switch("unreachable", "Unreachable", "The network refuses connections.", self._network,
                   lambda: "unreachable" in self._flags),
        ]  # fmt: skip

    def _flag(self, key: str, on: bool) -> None:
        (self._flags.add if on else self._flags.discard)(key)

    def _slow(self, on: bool) -> None:
        self._flag("slow", on)
        self.pbx.trouble.slow(ANY, SLOW_SECONDS if on else 0.0)

    def _drop(self, on: bool) -> None:
        if on:
            self.pbx.trouble.drop(CREATE, after_effect=True)
        else:
            self.pbx.trouble.spare(CREATE, "drop")

    def _full(self, on: bool) -> None:
        if on:
            for kind in KINDS:
                self._fill(kind)
            return
        for number in self._filled:
            with suppress(Refusal):  # somebody may have deleted it meanwhile
                self.pbx.remove_certificate(number)
        self._filled = []

    def _fill(self, kind: str) -> None:
        """Until the PBX itself says that it is full."""
        with suppress(Refusal):
            while True:
                name = f"somebody-elses-{kind}-{len(self._filled) + 1}"
                self._filled.append(self.pbx.add_certificate(kind, f"{name}.pem", issue_to=f"{name}.example.com"))

    def _dns(self, on: bool) -> None:
        self._flag("dns", on)
        (self.pbx.dns.fail if on else self.pbx.dns.heal)(ANY)

    def _tokens(self, on: bool) -> None:
        self._flag("tokens", on)
        (self.pbx.take_all_tokens if on else self.pbx.forget_tokens)()

    def _none_left(self) -> bool:
        """Theirs expire like everybody's, so a jump of the clock ends it."""
        return "tokens" in self._flags and self.pbx.live_tokens >= MOST_TOKENS

    def _network(self, on: bool) -> None:
        self._flag("unreachable", on)
        (self.pbx.make_unreachable if on else self.pbx.reachable)()


def _entry(listed: dict[str, Any]) -> dict[str, Any]:
    """As it is listed, without the DNS credentials."""
    return {key: value for key, value in listed.items() if key != "auth_info_list"}


def _call(call: PbxCall) -> list[Any]:
    return [call.number, call.method, call.path, call.errcode, call.delivered, call.at.timestamp()]

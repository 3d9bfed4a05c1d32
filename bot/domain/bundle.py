"""Check a bundle: one request as a file, with its part of the audit chain. Nothing else is needed for it, no database either.

What is proven is that everything in the file is as it was written when it happened, as far as the chain holds it. That the
chain is the one of then, only a head can prove that was witnessed elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bot.domain import records
from bot.domain.events import EventKind
from bot.domain.requests import Ask, Decision, Execution, Request
from bot.domain.rules import Rule
from bot.domain.trail import Link, Outline, Walk
from bot.exceptions import BundleUnreadable

#: What a bundle says of itself; a later layout has another number.
FORMAT = "pbx-cert-bot audit bundle 1"
#: What a part raises that is not as `bot.store.bundles` writes it.
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. ``good`` is None for what cannot be, or is only worth a word."""

    good: bool | None
    what: str
    said: str


class Bundle:
    """A file's content. Raises BundleUnreadable for what is none."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise BundleUnreadable
        try:
            self.request: Mapping[str, Any] = content["request"]
            self.versions: Sequence[Mapping[str, Any]] = content["versions"]
            self.votes: Sequence[Mapping[str, Any]] = content["votes"]
            self.numbers = {int(number) for number in (self.request["number"], *content["drafts"])}
            self.chain = [records.from_json(each) for each in content["chain"]]
            self.is_reduced = self.request["reduced_at"] is not None
            first = self.chain[0]
        except _UNREADABLE:
            raise BundleUnreadable from None
        self._before = first.number - 1, first.previous

    @cached_property
    def events(self) -> list[Link]:
        """Those of the request itself, and of the drafts that changed it."""
        return [link for link in self.chain if isinstance(link, Link) and link.request in self.numbers]

    def findings(self, head: str = "") -> Iterator[Finding]:
        """``head`` are at least the first digits of a hash that was witnessed."""
        checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
            ("chain", self._chain),
            ("head", lambda: self._head(head)),
            ("events", self._events),
            ("state", self._state),
            ("votes", self._votes),
            ("contents", self._contents),
            ("certificates", self._certificates),
            ("result", self._result),
        )
        for what, check in checks:
            try:
                yield from check()
            except _UNREADABLE:
                yield Finding(False, what, "cannot be read")

    def _chain(self) -> Iterator[Finding]:
        walk = Walk(*self._before)
        for link in self.chain:
            walk.take(link)
        wrong = walk.wrong()
        said = f"events {self.chain[0].number} to {self.chain[-1].number} follow each other, and each is what its hash says"
        yield Finding(False, "chain", wrong[1]) if wrong else Finding(True, "chain", said)

    def _head(self, head: str) -> Iterator[Finding]:
        if not head:
            yield Finding(None, "head", self._heads())
            return
        known = [link.number for link in self.chain if link.hash.startswith(head)]
        where = f"events {self.chain[0].number} to {self.chain[-1].number}"
        if known:
            yield Finding(True, "head", f"it is that of event {known[0]}: what came before is as it was then")
        else:
            yield Finding(False, "head", f"none of {where} has it: it is older or newer than this, or of another chain")

    def _heads(self) -> str:
        told = [self._data(link) for link in self.chain if isinstance(link, Link) and link.kind == EventKind.WITNESSED]
        if told:
            return f"compare this file with what was posted on {told[-1]['day']}: --head {told[-1]['head']}"
        return f"the last event's hash is {self.chain[-1].hash}; no head was posted after this request's last event so far"

    def _events(self) -> Iterator[Finding]:
        foreign = [link for link in self.chain if isinstance(link, Link) and link.request not in self.numbers]
        if any(link.kind != EventKind.WITNESSED for link in foreign):
            yield Finding(False, "events", "there is an event in it of another request")
        calls = sum(link.kind == EventKind.CALLED for link in self.events)
        outlines = sum(isinstance(link, Outline) for link in self.chain)
        own = f"{len(self.events)} of #{self.request['number']}, {calls} of them calls to the PBX"
        yield Finding(bool(self.events), "events", f"{own}; {outlines} of others, without content")

    def _state(self) -> Iterator[Finding]:
        """Each state that is reached has an event of its own name."""
        decision, execution = Decision(self.request["decision"]), self.request["execution"]
        states = [decision.value] if decision is not Decision.DRAFT else []
        if execution and Execution(execution) not in (Execution.QUEUED, Execution.WAITING):
            states.append(execution)
        for state in states:
            known = [link.number for link in self.events if link.kind == state]
            said = f"{state}: event {known[-1]} says so" if known else f"it is said to be {state}, and no event says so"
            yield Finding(bool(known), "state", said)

    def _votes(self) -> Iterator[Finding]:
        if self.is_reduced:
            yield Finding(None, "votes", f"{len(self.votes)}; who they were was reduced")
            return
        told = [(link.actor, self._data(link)) for link in self.events if link.kind == EventKind.VOTED]
        voted = sorted((actor, data["verdict"], data["reason"]) for actor, data in told)
        counted = [vote for vote in self.votes if vote["state"] in ("counted", "lapsed")]
        kept = sorted((vote["user"], vote["verdict"], vote["reason"]) for vote in counted)
        if voted == kept:
            yield Finding(True, "votes", f"{len(kept)} that counted, each with its event")
        else:
            yield Finding(False, "votes", f"{len(kept)} are kept, and {len(voted)} are events; they are not the same")

    def _contents(self) -> Iterator[Finding]:
        """What was shown, by the digest that the check wrote down; and that this is what was asked for and approved."""
        if self.is_reduced:
            yield Finding(
                None, "contents", f"what people wrote was removed at {self.request['reduced_at']}, so it cannot be compared"
            )
            return
        for version in (*self.versions, self.request):
            yield from self._version(version)
        if any(version["digest"] for version in (*self.versions, self.request)):
            said = (
                "the digest that an approval is bound to cannot be computed anew: keyed digests of private keys and credentials"
                " are part of it, and they are not in this file"
            )
            yield Finding(None, "secrets", said)

    def _version(self, version: Mapping[str, Any]) -> Iterator[Finding]:
        what, digest = f"version {version['version']}", version["digest"]
        if not digest:
            yield Finding(None, what, "was never shown to anybody for a decision")
            return
        told = [(link, data) for link in self.events if (data := self._data(link)).get("digest") == digest]
        contents = {data["contents"] for _, data in told if data.get("contents")}
        if not told:
            yield Finding(False, what, "no event has its digest")
        elif not contents:
            yield Finding(None, what, "no event holds the digest of its contents, so they cannot be compared")
        elif contents == {self._as_request(version).contents()}:
            numbers = ", ".join(str(link.number) for link, _ in told)
            yield Finding(True, what, f"ask, evidence, plan and rule are those of events {numbers}")
        else:
            yield Finding(False, what, "ask, evidence, plan or rule are not what was checked and shown")

    def _as_request(self, version: Mapping[str, Any]) -> Request:
        rule = Rule.from_json(version["rule"])
        return Request(
            id=self.request["number"],
            version=version["version"],
            decision=Decision(self.request["decision"]),
            execution=None,
            requester=self.request["requester"],
            ask=Ask.from_json(version["ask"]),
            approvals_needed=rule.approvals if rule else self.request["approvals_needed"],
            created_at=datetime.fromisoformat(self.request["created_at"]),
            evidence=version["evidence"],
            plan=tuple(version["plan"]),
            rule=rule,
        )

    def _certificates(self) -> Iterator[Finding]:
        evidence = self.request["evidence"] or {}
        if not evidence.get("public_pem"):
            return
        found = [_fingerprint(one) for one in x509.load_pem_x509_certificates(evidence["public_pem"].encode())]
        expected = [facts["sha256"] for facts in (evidence["certificate"], *evidence["chain"])]
        said = f"{len(found)} as PEM, with the SHA-256 that the evidence names"
        good = found[: len(expected)] == expected or set(found) == set(expected)
        yield Finding(good, "certificates", said if good else "the PEM is not that of the evidence")

    def _result(self) -> Iterator[Finding]:
        installed = (self.request["outcome"] or {}).get("installed")
        if not installed:
            return
        done = [link for link in self.events if link.kind == EventKind.DONE]
        if self.is_reduced:
            yield Finding(None, "result", f"{installed['name']} as id {installed['id']}; its event was reduced")
            return
        good = bool(done) and installed.items() <= self._data(done[-1]).items()
        said = f"{installed['name']} as id {installed['id']}, as event {done[-1].number} says" if good else "no event says so"
        yield Finding(good, "result", said)

    def _data(self, link: Link) -> Mapping[str, Any]:
        data = records.to_json(link)["data"]
        return data if isinstance(data, dict) else {}


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()

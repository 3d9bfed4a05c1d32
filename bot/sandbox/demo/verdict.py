"""What the PBXs list at the end, and whether that is right."""

import json
from collections.abc import Callable, Iterator

from cryptography import x509

from bot.sandbox.demo.process import RunningBot
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import LOOKS, Stage
from bot.sandbox.demo.story import Story
from bot.sandbox.pbx import PbxSimulator, StoredCertificate

#: Seconds that `audit verify` may take.
PATIENCE = 15.0

Check = tuple[bool, str]


def show(stage: Stage, story: Story, bot: RunningBot, screen: Screen) -> bool:
    """Print the lists and every check; whether all of them passed."""
    screen.heading("What the PBXs list now (asked of the simulators, not of the bot)")
    for pbx in (stage.hq, stage.branch):
        columns = ("id", "name", "type", "issued to", "expires", "status")
        screen.table(pbx.name, columns, [_row(one) for one in pbx.certificates])
    screen.blank()
    passed = True
    for ok, text in checks(stage, story, bot):
        screen.check(ok, text)
        passed = passed and ok
    return passed


def checks(stage: Stage, story: Story, bot: RunningBot) -> Iterator[Check]:
    """What must be true, each with its sentence."""
    yield _trusted(stage), "hq trusts Example Telecom Root CA, byte for byte the certificate that Tess attached"
    yield _imported(stage), "branch holds Ana's certificate, its chain in order, and the key that belongs to it"
    yield (
        _applied(stage, story),
        f"hq was issued pbx.example.com with the profile's credentials, after {story.looks} looks at its list",
    )
    yield _refused(story), "Ana's own approval was refused, and until Ben's the bot only looked at branch's list"
    yield _is_silent(stage, bot), "no key, credential or token is in the bot's log, its messages or its database"
    whole, told = bot.call("audit", "verify", timeout=PATIENCE)
    yield whole, f"audit verify: {told}"


def _trusted(stage: Stage) -> bool:
    return _holds(stage.hq, "trusted", lambda one: _certificates(one) == [stage.trunk_ca.cert])


def _imported(stage: Stage) -> bool:
    leaf = stage.leaf
    chain = [leaf.cert, *leaf.issuers[:-1]]
    return _holds(stage.branch, "server", lambda one: _certificates(one) == chain and leaf.key_pem.strip() in one.key)


def _applied(stage: Stage, story: Story) -> bool:
    def right(one: StoredCertificate) -> bool:
        return (one.issue_to, one.apply_status, one.ca_type) == ("pbx.example.com", "issuance_success", "apply")

    return story.looks >= LOOKS and _holds(stage.hq, "server", right)


def _refused(story: Story) -> bool:
    looking = {"get_token", "system/information", "certificate/list"}
    return story.done_before_approval is not None and looking.issuperset(story.done_before_approval)


def _holds(pbx: PbxSimulator, kind: str, right: Callable[[StoredCertificate], bool]) -> bool:
    """Exactly one of this kind, and the right one."""
    found = [one for one in pbx.certificates if one.type == kind]
    return len(found) == 1 and right(found[0])


def _certificates(one: StoredCertificate) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(one.pem)


def _is_silent(stage: Stage, bot: RunningBot) -> bool:
    told = json.dumps([call.args for call in stage.slack.log], default=str)
    kept = b"".join(path.read_bytes() for path in bot.log.parent.glob("bot.*"))
    return not any(secret in told or secret.encode() in kept for secret in stage.secrets())


def _row(one: StoredCertificate) -> tuple[str, ...]:
    return str(one.id), one.name, one.type, one.issue_to, one.expiration, one.apply_status

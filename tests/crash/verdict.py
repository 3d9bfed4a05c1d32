"""What must be so at the end of every story, whatever was killed meanwhile: read from the simulators, not from the bot."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import MetaData, NullPool, create_engine, func, select
from sqlalchemy.orm import Session

from bot import config as configuration
from bot.exceptions import ChainBroken
from bot.sandbox.pbx.certificates import StoredCertificate
from bot.sandbox.slack.records import Call
from bot.store import audit
from tests.crash.story import Story
from tests.flow.world import ALI_ID, ALI_SECRET, KEY, World

#: A letter for each line of a thread, by what it begins with; the first that fits. One message may tell several events.
_LETTERS = (
    (r"👍 @", "V"),  # a vote
    (r"👍 \*approved\*", "A"),
    (r"⚙️ \*applying\*", "G"),
    (r"🔎 `hq` has room", "L"),
    (r"📤", "U"),
    (r"📥", "C"),
    (r"⏳ \*waiting\*", "I"),
    (r"📜", "S"),
    (r"✅ \*done\*", "D"),
    (r"🔎 A call about .* it had arrived", "F"),
    (r"🔎 A call about .* it had not arrived", "N"),
    (r"❓", "Q"),
    (r"▶️", "R"),
    (r"🚨 \*EMERGENCY\*", "E"),
    (r"✅ @Ana Lead has looked at this emergency and confirms it", "X"),
    (r"🔑|> |A second person has to|\[Confirm afterwards\]", ""),  # belongs to the line before it
)
#: The whole thread of a kind. A call whose answer was lost is told of: looked for (Q), found (F) or made anew (N).
_THREADS = {
    "trusted": r"VAGLU(Q?N)*(C|Q?F)R?D",
    "emergency": r"EAGLU(Q?N)*(C|Q?F)R?DX",
    "import": r"VAGLU(Q?N)*(C|Q?F)R?D",
    "apply": r"VAGL(Q?N)*(I|Q?FI?)R?SD",
}
#: The same where nothing was killed.
_UNDISTURBED = {"trusted": "VAGLUCD", "emergency": "EAGLUCDX", "import": "VAGLUCD", "apply": "VAGLISD"}


class Witness:
    """Compares what is told with what is so, in the moment in which it is told."""

    def __init__(self, world: World) -> None:
        self.falsehoods: list[str] = []
        self._world = world
        self._heard = 0
        world.slack.on_change(self._listen)

    def _listen(self) -> None:
        log = self._world.slack.state.log
        for call in log[self._heard :]:
            self._judge(call)
        self._heard = len(log)

    def _judge(self, call: Call) -> None:
        text = str(call.args.get("text", ""))
        created = any(each.path == "certificate/create" and each.errcode == 0 for each in self._world.hq.calls)
        ready = any(one.apply_status == "issuance_success" for one in self._world.hq.certificates)
        if re.match(r"📥|⏳|📜", text) and not created:
            self.falsehoods.append(f"nothing was created yet when it said {text!r}")
        if ("✅" in text or re.search(r": done\b", text)) and not ready:
            self.falsehoods.append(f"the PBX did not list it yet when it said {text!r}")


def violations(story: Story, witness: Witness) -> list[str]:
    """Everything that is not as it must be, a sentence each."""
    world = story.world
    return [
        *_done_once(story),
        *_thread(story),
        *_card(world),
        *_told_privately(world),
        *(_alarmed(world) if story.is_emergency else ()),
        *witness.falsehoods,
        *(f"past the gateways: {deed}" for life in story.lives for deed in life.astray),
        *_database(story),
        *_leaks(world.folder, world),
    ]


def _done_once(story: Story) -> Iterator[str]:
    """The PBX holds exactly what was approved, and was asked for it once."""
    hq = story.world.hq
    creates = [call.errcode for call in hq.calls if call.path == "certificate/create"]
    if creates != [0]:
        yield f"certificate/create was answered {creates}"
    if hq.count("certificate/delete") or hq.count("certificate/update") or hq.count("webserver/update"):
        yield "the bot changed what it was not asked to change"
    if len(hq.certificates) != 1:
        yield f"the PBX lists {[one.name for one in hq.certificates]}"
    elif not _AS_APPROVED[story.kind](hq.certificates[0], story):
        yield f"the PBX holds something else than was approved: {hq.certificates[0]}"
    if hq.logins > len(story.lives):
        yield f"{hq.logins} logins in {len(story.lives)} lives"


def _trusted(one: StoredCertificate, story: Story) -> bool:
    root = story.world.root.cert_pem
    named = re.fullmatch(r"corp-root-r\d+\.crt", one.name) is not None
    return named and one.type == "trusted" and one.pem.strip() == root.strip()


def _import(one: StoredCertificate, story: Story) -> bool:
    named = re.fullmatch(r"pbx-r\d+\.pem", one.name) is not None
    same = (one.pem.strip(), one.key.strip()) == (story.material.cert_pem.strip(), story.material.key_pem.strip())
    return named and one.type == "server" and same and one.auto_renewal == 0 and one.dns is None


def _apply(one: StoredCertificate, story: Story) -> bool:
    credentials = {str(each["k"]): each.get("sv") for each in one.dns.auth_info_list} if one.dns else {}
    named = (one.name, one.type, one.issue_to) == ("pbx.example.com.pem", "server", "pbx.example.com")
    issued = one.apply_status == "issuance_success" and one.dns_provider == "alidns"
    return named and issued and (credentials.get("AccessKeyId"), credentials.get("AccessKeySecret")) == (ALI_ID, ALI_SECRET)


_AS_APPROVED: dict[str, Callable[[StoredCertificate, Story], bool]] = {
    "trusted": _trusted,
    "emergency": _trusted,
    "import": _import,
    "apply": _apply,
}


def _thread(story: Story) -> Iterator[str]:
    """Every event once, in order."""
    messages = [message for card in story.world.cards() for message in story.world.thread(card)]
    lines = [line for message in messages for line in message.splitlines()]
    told = "".join(_letter(line) for line in lines)
    expected = _THREADS[story.kind] if story.was_killed else _UNDISTURBED[story.kind]
    if not re.fullmatch(expected, told):
        yield f"the thread is {told} and not {expected}: {lines}"


def _letter(line: str) -> str:
    return next((letter for pattern, letter in _LETTERS if re.match(pattern, line)), "?")


def _card(world: World) -> Iterator[str]:
    """One card, which shows the end; nothing else in the channels."""
    top = [message for channel in (world.certs, world.branch_channel) for message in world.slack.messages(channel)]
    if len(world.cards()) != 1 or len(top) != 1:
        yield f"the channels hold {len(top)} messages and {len(world.cards())} cards"
        return
    shown = world.slack.read(world.cards()[0])
    if "done" not in shown or "Listed on `hq` as id 1" not in shown:
        yield f"the card does not show the end: {shown}"
    buttons = {element["action_id"] for block in world.cards()[0]["blocks"] for element in block.get("elements", [])
               if element.get("type") == "button"}  # fmt: skip
    if buttons != {"details"}:
        yield f"the card still has the buttons {sorted(buttons)}"


def _told_privately(world: World) -> Iterator[str]:
    """The card's link may come a second time by direct message, where the fate of the first was not known; nothing else may."""
    for person in (world.tess, world.ana, world.ben, world.carl):
        said = [world.slack.read(message) for message in person.dms()]
        if len(said) != len(set(said)):
            yield f"{person.name} was told twice: {said}"
    if len(world.tess.dms()) > 1:
        yield f"Tess was written to {len(world.tess.dms())} times: {[world.slack.read(each) for each in world.tess.dms()]}"


def _alarmed(world: World) -> Iterator[str]:
    """Each lead is told of the emergency directly, once, and nobody that nobody has confirmed it."""
    for person in (world.ana, world.ben):
        told = [text for text in map(world.slack.read, person.dms()) if "EMERGENCY" in text or "Nobody has" in text]
        if len(told) != 1:
            yield f"{person.name} was told {len(told)} times of the emergency: {told}"


def _database(story: Story) -> Iterator[str]:
    """The audit chain is whole, and no secret is left in any table, sealed or not.

    Read past the bot's own store, whose impatience with a slow database is not what is judged here.
    """
    world = story.world
    config = configuration.load(story.config, world.environ())
    engine = create_engine(config.database.url, poolclass=NullPool)
    with Session(engine) as session:
        try:
            audit.verify(session)
        except ChainBroken as broken:
            yield f"{broken}"
        tables = MetaData()
        tables.reflect(session.connection())
        if kept := session.scalar(select(func.count()).select_from(tables.tables["secrets"])):
            yield f"{kept} secrets are kept"
        for name, table in tables.tables.items():
            if any(_is_secret(str(cell).encode(), world) for row in session.execute(select(table)) for cell in row):
                yield f"a secret is in the table {name}"
    engine.dispose()


def _leaks(folder: Path, world: World) -> Iterator[str]:
    """No file of the bot's holds a key or a credential; its configuration names them and does not hold them."""
    for path in folder.iterdir():
        if path.is_file() and _is_secret(path.read_bytes(), world):
            yield f"a secret is in {path.name}"


def _is_secret(content: bytes, world: World) -> bool:
    secrets = (ALI_SECRET, KEY, world.hq.client_secret, world.slack.bot_token, world.slack.app_token)
    return b"PRIVATE KEY" in content or any(secret.encode() in content for secret in secrets)

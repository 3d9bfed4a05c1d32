"""The page on which people act in the sandbox: a chat client beside a panel of the simulated PBXs.

What a person can do here is what `Person` and `Modal` let them do; the page adds no way into the app. It is served by the
workspace's own server on 127.0.0.1, loads nothing from elsewhere, and answers only pages of its own origin.
"""

from collections.abc import Iterable, Sequence

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.slack import Channel, Person, Workspace
from bot.sandbox.web.acts import Acts
from bot.sandbox.web.board import Board, Clock
from bot.sandbox.web.feed import Feed
from bot.sandbox.web.marks import Marks
from bot.sandbox.web.panel import Panel
from bot.sandbox.web.samples import Sample, samples
from bot.sandbox.web.served import Handshakes
from bot.sandbox.web.site import PageSite

__all__ = ["Clock", "Sample", "mount", "samples", "welcome"]


def mount(
    workspace: Workspace,
    pbxs: Sequence[PbxSimulator],
    clock: Clock | None = None,
    *,
    people: Sequence[tuple[Person, str]],
    home: Channel,
    files: Iterable[Sample] = (),
) -> None:
    """Serve the page at `Workspace.page_url`; call it once, before or after the servers start.

    ``people`` can be acted as, in this order, each with a word on who they are; the page opens as the first of them, in
    ``home``. ``files`` can be attached with a click, by whoever has none at hand. Without a ``clock`` time cannot be put
    forward; it must be the one that the workspace and the PBXs were given, and the bot too if expiry is to be seen.
    """
    panels, kept = [Panel(pbx) for pbx in pbxs], list(files)
    marks, handshakes = Marks(workspace.state), Handshakes(pbxs)
    board = Board(workspace, panels, handshakes, clock, people, home, marks, kept)
    feed = Feed(board, handshakes)
    acts = Acts(workspace, panels, clock, marks, kept, feed.look_again)
    workspace.serve(*PageSite(workspace, feed, acts, kept).routes())
    workspace.on_change(feed.wake)
    for pbx in pbxs:
        pbx.on_change(feed.look_again)


def welcome(workspace: Workspace, channel: Channel, lines: Sequence[str]) -> None:
    """Say in a channel what to try; a guide of the sandbox says it, not the app."""
    guide = workspace.add_person("Sandbox guide")
    workspace.join(channel, guide)
    guide.say(channel, "\n".join(lines))

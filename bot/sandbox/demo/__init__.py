"""The demonstration: the real bot between a local Slack and two simulated PBXs.

It plays once, with the bot as a process of its own. Or it plays and then stays up as a page, with the bot within this process,
so that time can be put forward for all of them.

stage.py     the workspace, its people, the PBXs, and the configuration for the bot
process.py   the bot, as a process of its own or within this one, and what Ctrl-C does
screen.py    how it all looks, on a terminal and in a log
feed.py      what was said since we last looked
story.py     the requests, as people make and decide them
verdict.py   what the PBXs list at the end, and whether that is right
run.py       everything in order, within the time there is
"""

from bot.sandbox.demo.run import play

__all__ = ["play"]

"""What must come of a fault of the bot's own database, by the moment at which it begins. Letters: `tests.faults.rights`."""

from collections.abc import Mapping

#: The columns: on SQLite (s) and on PostgreSQL (p).
CALLS: Mapping[str, str] = {
    "sf": "sqlite: the form is submitted",
    "sa": "sqlite: Approve is pressed",
    "sw": "sqlite: create is about to be intended",
    "sc": "sqlite: create has taken effect",
    "pf": "postgresql: the form is submitted",
    "pa": "postgresql: Approve is pressed",
    "pw": "postgresql: create is about to be intended",
    "pc": "postgresql: create has taken effect",
}

#: What a person does is refused at once and can be done again. What the bot does waits; nothing is sent that was not
#: recorded before, and an outcome that could not be recorded is found by looking.
TABLE = """
                                   | sf sa sw sc  pf pa pw pc
locked longer than a click waits   | c  c  u  u   c  c  u  u
locked longer than a worker waits  | c  c  u  S   c  c  u  S
disk full                          | c  c  u  S   -  -  -  -
read-only                          | c  c  u  S   c  c  u  S
gone for ten seconds               | -  -  -  -   c  c  u  S
"""

ABSENT: Mapping[str, tuple[str, str]] = {
    "disk full": (
        "pf pa pw pc",
        "It would take a disk of its own, which a test cannot have.",
    ),
    "gone for ten seconds": ("sf sa sw sc", "A SQLite file is opened once; taken away, it lives on until the bot ends."),
}

"""What must come of a fault of the PBX, by the call that it hits. The letters are explained in `tests.faults.rights`.

Each fault hits the call once, unless its name says otherwise. What the codes mean: the vendor's page
developer-guide/error-code-and-error-message, and `bot.pbx.words`.
"""

from collections.abc import Mapping

#: The columns: which of a request's calls is hit. A trusted CA is asked for where the column says nothing else.
CALLS: Mapping[str, str] = {
    "lc": "get_token at the check",
    "lg": "get_token after the approval",
    "lx": "get_token in the middle of create",
    "rf": "refresh_token after the approval",
    "rx": "refresh_token in the middle of create",
    "ch": "list at the check",
    "lk": "list at the look",
    "bc": "list before create",
    "ut": "upload of a trusted CA",
    "ui": "upload of an import",
    "si": "system/information at the look",
    "ct": "create of a trusted CA",
    "ci": "create of an import",
    "ca": "create of an application",
    "fo": "list to find out after a lost create",
    "fw": "list to follow an application",
    "cf": "list to confirm",
    "cp": "list to confirm an application",
}

#: Reading and uploading may be done again; create may not, so that one is settled by looking. A PBX that took the
#: certificate and then refuses its list is looked at again, never told as failed.
TABLE = """
                           | lc lg lx rf rx  ch lk bc ut ui si  ct ci ca  fo fw cf cp
refused connection         | -  r  r  r  r   s  r  r  r  r  r   r  r  r   S  r  r  r
timeout before the effect  | s  r  r  r  r   s  r  r  r  r  r   S  S  S   S  r  r  r
timeout after the effect   | s  r  r  r  r   -  -  -  r  r  -   S  S  S   -  -  -  -
reset before the effect    | s  r  r  r  r   s  r  r  r  r  r   S  S  S   S  r  r  r
reset after the effect     | s  r  r  r  r   -  -  -  r  r  -   S  S  S   -  -  -  -
truncated JSON             | s  r  r  r  r   s  r  r  r  r  r   S  S  S   S  r  r  r
HTML 502 before the effect | s  r  r  r  r   s  r  r  r  r  u   S  S  S   S  r  r  r
HTML 502 after the effect  | s  r  r  r  r   -  -  -  r  r  -   S  S  S   -  -  -  -
slower than the time limit | s  r  r  r  r   s  r  r  r  r  r   S  S  S   S  r  r  r
-2                         | s  r  r  u  u   s  r  r  r  r  u   S  S  S   S  r  r  r
-1                         | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
2                          | s  r  r  r  r   s  r  r  r  r  u   S  S  S   S  r  r  r
10001                      | s  F  F  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
10004                      | X  X  X  u  u   u  u  u  u  u  u   u  u  u   S  u  u  u
10004 twice running        | -  -  -  -  -   s  r  r  r  r  u   r  r  r   S  r  r  r
10005                      | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
40001                      | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
40002                      | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
40003                      | -  -  -  -  -   -  -  -  F  F  -   F  F  F   -  -  -  -
40004                      | -  -  -  -  -   -  -  -  F  F  -   F  F  -   -  -  -  -
60001                      | X  X  X  u  u   s  F  F  F  F  u   r  r  F   S  S  S  S
60002                      | s  r  r  r  r   s  r  r  r  r  u   F  F  F   S  r  r  r
70004                      | X  X  X  X  X   X  X  X  X  X  X   X  X  X   X  X  X  X
70082                      | s  r  r  r  r   s  r  r  r  r  u   r  r  r   S  r  r  r
70087                      | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
70091                      | -  -  -  -  -   -  -  -  F  F  -   F  F  F   -  -  -  -
70123                      | s  F  F  F  F   s  F  F  F  F  u   F  F  F   S  S  S  S
99999                      | X  X  X  u  u   s  F  F  F  F  u   F  F  F   S  S  S  S
"""

#: Why a cell is empty: by fault, for the columns named.
ABSENT: Mapping[str, tuple[str, str]] = {
    "refused connection": ("lc", "A login at the check is the first call of all, so this is the list at the check."),
    "timeout after the effect": ("ch lk bc si fo fw cf cp", "A call that only reads has no effect to lose."),
    "reset after the effect": ("ch lk bc si fo fw cf cp", "A call that only reads has no effect to lose."),
    "HTML 502 after the effect": ("ch lk bc si fo fw cf cp", "A call that only reads has no effect to lose."),
    "10004 twice running": ("lc lg lx rf rx", "These calls carry no access token, and one refusal settles what they are for."),
    "40003": ("lc lg lx rf rx ch lk bc si fo fw cf cp", "A name can be taken only where something is added."),
    "40004": ("lc lg lx rf rx ch lk bc si ca fo fw cf cp", "Only a file can be too large."),
    "70091": ("lc lg lx rf rx ch lk bc si fo fw cf cp", "Something in use can stand in the way of a change only."),
}

#: Faults that stay. Those before create end failed once the bot's patience is over; after it nobody may guess.
FOR_GOOD = """
                                    | lk ut ct  fo fw cf
refused connection for good         | F  F  F   P  P  P
10005 for good                      | -  -  -   P  P  P
70082 for good                      | F  F  F   P  P  P
HTML 502 before the effect for good | F  F  F   P  P  P
"""

ABSENT_FOR_GOOD: Mapping[str, tuple[str, str]] = {
    "10005 for good": ("lk ut ct", "Refused once, it has failed: nothing is asked a second time."),
}

#: Another administrator changes the PBX while the request is on its way.
MEANWHILE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("the last slot is taken", "between check and look"): ("F", "It is full when the bot looks, and nothing is sent."),
    ("the last slot is taken", "between look and create"): ("F", "The PBX says so itself, with 60002."),
    ("the last slot is taken", "after a create that was lost on its way"): ("F", "Made again, it is refused with 60002."),
    ("the name is taken", "between check and look"): ("F", "40003: theirs is left alone."),
    ("the name is taken", "between look and create"): ("F", "40003: theirs is left alone."),
    ("ours is deleted", "before it is confirmed"): ("P", "The PBX took it and does not list it: nobody may guess."),
    ("ours is deleted", "while it is being issued"): ("P", "The PBX took it and does not list it: nobody may guess."),
    ("ours is deleted", "after a create whose answer was lost"): ("S", "It is not there at two looks, so it is made again."),
    ("the same domain is applied for", "between check and look"): ("F", "40003: theirs is left alone."),
    ("the same domain is applied for", "between look and create"): ("F", "40003: theirs is left alone."),
    ("the same domain is applied for", "after a create that was lost on its way"): (
        "S", "One new entry for the domain is there, which is what was approved: it is not applied for twice."),
    ("the same domain is applied for", "after a create whose answer was lost"): (
        "P", "Two new entries for the domain: nobody can say which is ours."),
}  # fmt: skip

#: The pairs of that kind that are left out, with the reason.
ABSENT_MEANWHILE = (
    "The name is taken after a create that was lost: a file's name bears the request's number, so nobody else uses it then.",
    "The same domain for a file: its name is not that of a domain, and both may stand side by side.",
)

"""What must come of a fault of Slack, by the call that it hits. The letters are explained in `tests.faults.rights`.

Each fault hits the call once. What the errors mean: the method's own page below docs.slack.dev/reference/methods.
"""

from collections.abc import Mapping

#: The columns: which call of a request's life is hit. A trusted CA is asked for where the column says nothing else.
CALLS: Mapping[str, str] = {
    "of": "views.open of the form",
    "or": "views.open of the question why",
    "fi": "files.info at the check",
    "fd": "files.download at the check",
    "vu": "views.update with the check's result",
    "pc": "chat.postMessage of the card",
    "pl": "chat.postMessage of a line",
    "pd": "chat.postMessage of a direct message",
    "up": "chat.update of the card",
    "gl": "chat.getPermalink for the link",
    "ru": "response_url with the link",
    "rr": "response_url with a refusal",
    "co": "conversations.open for a direct message",
    "hi": "conversations.history for a lost card",
    "re": "conversations.replies for a lost line",
    "me": "conversations.members at the end",
    "gu": "usergroups.users.list at a click",
    "ui": "users.info at a click",
    "at": "auth.test at the start",
    "ac": "apps.connections.open at the start",
}

#: What can be looked for is looked for; what is seen by one person and not kept cannot be, and is said in another way.
TABLE = """
                        | of or fi fd vu  pc pl pd up gl  ru rr co  hi re me gu ui  at ac
429 with Retry-After    | w  w  t  t  t   t  t  t  t  t   a  g  t   f  f  t  c  c   N  u
503 before the effect   | w  w  t  t  t   t  t  t  t  t   a  g  t   f  f  t  c  c   N  N
503 after the effect    | u  u  -  -  t   f  f  f  t  -   a  g  t   -  -  -  -  -   -  -
timeout before          | w  w  t  t  t   t  t  t  t  t   a  g  t   f  f  t  c  c   -  -
timeout after           | u  u  -  -  t   f  f  f  t  -   a  g  t   -  -  -  -  -   -  -
reset before the effect | w  w  t  t  t   t  t  t  t  t   a  g  t   f  f  t  c  c   -  -
reset after the effect  | u  u  -  -  t   f  f  f  t  -   a  g  t   -  -  -  -  -   -  -
internal_error before   | w  w  t  -  t   t  t  t  t  t   -  -  t   f  f  t  c  c   N  N
internal_error after    | u  u  -  -  t   f  f  f  t  -   -  -  t   -  -  -  -  -   -  -
invalid_auth            | w  w  B  -  t   d  t  t  t  t   -  -  t   f  f  t  c  c   N  N
token_revoked           | w  w  B  -  t   d  t  t  t  t   -  -  t   f  f  t  c  c   N  N
channel_not_found       | -  -  -  -  -   d  t  g  t  t   -  -  g   f  f  t  -  -   -  -
not_in_channel          | -  -  -  -  -   d  t  g  -  -   -  -  -   f  f  t  -  -   -  -
message_not_found       | -  -  -  -  -   -  -  -  n  -   -  -  -   -  -  -  -  -   -  -
not_found               | w  w  -  -  a   -  -  -  -  -   -  -  -   -  -  -  -  -   -  -
file_not_found          | -  -  B  -  -   -  -  -  -  -   -  -  -   -  -  -  -  -   -  -
404                     | -  -  -  B  -   -  -  -  -  -   a  g  -   -  -  -  -  -   -  -
"""

#: Why a cell is empty: by fault, for the columns named.
_READS = "A call that only reads has no effect to lose."
_ANY = "of or fi fd vu pc pl pd up gl ru rr co hi re me gu ui at ac"
ABSENT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "503 after the effect": (("fi fd gl hi re me gu ui at ac", _READS),),
    "timeout before": (("at ac", "Slack's own library calls, with its own limit of 30 s."),),
    "timeout after": (("fi fd gl hi re me gu ui at ac", _READS),),
    "reset before the effect": (("at ac", "Slack's own library repeats these calls by itself."),),
    "reset after the effect": (("fi fd gl hi re me gu ui at ac", _READS),),
    "internal_error before": (("fd ru rr", "Neither a download nor a response_url answers with errors of the Web API."),),
    "internal_error after": (("fi fd gl hi re me gu ui at ac", _READS), ("ru rr", "No errors of the Web API there.")),
    "invalid_auth": (("fd", "Without a valid token comes a page for logging in, with status 200."),
                     ("ru rr", "A response_url needs no token.")),
    "token_revoked": (("fd", "Without a valid token comes a page for logging in, with status 200."),
                      ("ru rr", "A response_url needs no token.")),
    "channel_not_found": (("of or fi fd vu ru rr gu ui at ac", "These calls name no channel."),),
    "not_in_channel": (("of or fi fd vu ru rr gu ui at ac", "These calls name no channel."),
                       ("up gl co", "Not among the errors of this method.")),
    "message_not_found": (("of or fi fd vu pc pl pd ru rr co me gu ui at ac", "These calls name no message."),
                          ("gl", "It follows the post at once; whoever deletes the card then is met by the update."),
                          ("hi re", "Their words for it are others; a lost card or line is just not in the list.")),
    "not_found": (("fi fd pc pl pd up gl ru rr co hi re me gu ui at ac", "These calls name no view."),),
    "file_not_found": ((_ANY.replace("fi ", ""), "These calls name no file by its id."),),
    "404": (("of or fi vu pc pl pd up gl co hi re me gu ui at ac", "The Web API answers with errors, not with this status."),),
}  # fmt: skip

#: What happens on the way in, and when.
INCOMING: Mapping[tuple[str, str], str] = {
    ("the WebSocket dies", "before the form is submitted"): "R",
    ("the WebSocket dies", "during the check"): "R",
    ("the WebSocket dies", "right after Approve"): "R",
    ("the WebSocket dies", "while the PBX is worked on"): "R",
    ("Slack says goodbye", "right after Approve"): "R",
    ("delivered twice", "the submission of the form"): "u",
    ("delivered twice", "the confirmation"): "u",
    ("delivered twice", "the click on Approve"): "u",
    ("delivered twice", "the rejection with its reason"): "u",
    ("delivered twice", "the event that a group has changed"): "u",
}

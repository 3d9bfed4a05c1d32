"""What the Open API answers: a flat object with ``errcode`` and ``errmsg``, always under HTTP status 200.

Codes and their wording follow the vendor's page developer-guide/error-code-and-error-message.
"""

from typing import Any

Answer = dict[str, Any]

FAILURE = -1
SUCCESS = 0
NO_SUCH_INTERFACE = 10001
VERSION_UNSUPPORTED = 10003
TOKEN_EXPIRED = 10004
BAD_SYNTAX = 40001
BAD_PARAMETER = 40002
DUPLICATE = 40003
FILE_TOO_LARGE = 40004
NOT_FOUND = 60001
LIMIT_REACHED = 60002
ADDRESS_BLOCKED = 70004
IN_USE = 70091

#: The S-Series' login code; on the P-Series it is only likely, so a simulator can be given another.
LOGIN_FAILED = 20002

MESSAGES = {
    -2: "INTERNAL SERVER ERROR",
    FAILURE: "FAILURE",
    SUCCESS: "SUCCESS",
    1: "PARTIAL SUCCESS",
    2: "PROCESSING",
    NO_SUCH_INTERFACE: "INTERFACE NOT EXISTED",
    10002: "API VERSION OUT OF MAINTENANCE",
    VERSION_UNSUPPORTED: "API VERSION UNSUPPORTED",
    TOKEN_EXPIRED: "TOKEN EXPIRED",
    10005: "ACCESS DENIED",
    10009: "OPERATION FAILED",
    LOGIN_FAILED: "LOGIN FAILED",
    BAD_SYNTAX: "PARAMETER SYNTAX ERROR",
    BAD_PARAMETER: "PARAMETER ERROR",
    DUPLICATE: "DUPLICATE KEY VALUE",
    FILE_TOO_LARGE: "FILE SIZE EXCEEDED",
    NOT_FOUND: "DATA NOT FOUND",
    LIMIT_REACHED: "MAX LIMITATION EXCEEDED",
    60101: "ROLE NOT EXISTED",
    ADDRESS_BLOCKED: "ACCOUNT IP BLOCKED",
    70082: "OVERLOAD_TASK_RUNNING",
    70084: "ACTION FORBIDDEN",
    70087: "IP FORBIDDEN",
    IN_USE: "CONNECTION_RELATION_EXISTED",
    70120: "ORGANIZATION DISABLED",
    70123: "API UNAVAILABLE",
}


class Refusal(Exception):
    """The PBX answers with an errcode other than 0."""

    def __init__(self, errcode: int, errmsg: str | None = None, **more: Any) -> None:
        self.errcode = errcode
        self.errmsg = MESSAGES.get(errcode, "FAILURE") if errmsg is None else errmsg
        self.more = more
        super().__init__(f"{self.errcode} {self.errmsg}")

    def answer(self) -> Answer:
        return {"errcode": self.errcode, "errmsg": self.errmsg, **self.more}


def success(**payload: Any) -> Answer:
    """An answer with ``errcode`` 0 and these keys beside it."""
    return {"errcode": SUCCESS, "errmsg": MESSAGES[SUCCESS], **payload}

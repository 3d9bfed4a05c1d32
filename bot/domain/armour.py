"""PEM, the textual encoding of certificates and keys (RFC 7468), read leniently: anything may stand around the blocks."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,63})-----")


@dataclass(frozen=True)
class Block:
    """What stood between a BEGIN and its END line. ``der`` is None where that is no base64 or the END line is missing."""

    label: str
    der: bytes | None = field(default=None, repr=False)
    #: The block has the "Proc-Type: 4,ENCRYPTED" header of RFC 1421.
    encrypted: bool = False


def blocks(content: bytes) -> Iterator[Block]:
    """Every block, in order, in one pass over the marks: a file made of nothing but BEGIN lines costs no more than its size."""
    opened: re.Match[bytes] | None = None
    for mark in _MARK.finditer(content):
        kind, label = mark.groups()
        if kind == b"END" and opened is not None and opened[2] == label:
            yield _block(label.decode(), content[opened.end() : mark.start()])
            opened = None
            continue
        if opened is not None or kind == b"END":
            yield Block((opened or mark)[2].decode())
        opened = mark if kind == b"BEGIN" else None
    if opened is not None:
        yield Block(opened[2].decode())


def has_marks(content: bytes) -> bool:
    return _MARK.search(content) is not None


def armoured(label: str, der: bytes) -> bytes:
    """A block as RFC 7468 writes it: lines of 64 characters, each ended by a line feed."""
    text = base64.b64encode(der)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""])


def _block(label: str, body: bytes) -> Block:
    if b"Proc-Type:" in body and b"ENCRYPTED" in body:
        return Block(label, encrypted=True)
    text = b"".join(line for line in body.splitlines() if b":" not in line)
    try:
        return Block(label, base64.b64decode(b"".join(text.split()), validate=True))
    except binascii.Error:
        return Block(label)

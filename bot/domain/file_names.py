"""Names of certificate files: those that people give, and those that the PBX will list."""

import re
import unicodedata

from bot.domain.problems import Problem, printable

#: Longer names are refused; what becomes of them on the PBX is not documented.
MAX_GIVEN_NAME = 100
#: The name on the PBX, without its extension.
MAX_STEM = 60
#: The endings that the vendor's pages use: .crt for a certificate alone, .pem where more stands in one file.
TRUSTED_EXTENSION = ".crt"
SERVER_EXTENSION = ".pem"

_FILE_ENDINGS = re.compile(r"(\.(pem|crt|cer|der|key|txt|bin|p7b|cert))+$", re.IGNORECASE)


def check_file_name(name: str) -> Problem | None:
    """The PBX's upload keeps only the last part of a path (vendor page "Upload a Certificate"), so paths are refused."""
    if not name.strip():
        return Problem("files", "A file has no name. Save it under a name and choose it again.", "name_empty")
    if any(not character.isprintable() for character in name):
        message = f"The file name “{printable(name, MAX_GIVEN_NAME)}” has invisible characters in it. Rename the file."
        return Problem("files", message, "name_characters")
    if "/" in name or "\\" in name or name in {".", ".."} or re.match(r"[A-Za-z]:", name):
        message = f"The file name “{printable(name, MAX_GIVEN_NAME)}” has parts of a path in it. Give the name alone."
        return Problem("files", message, "name_path")
    if len(name) > MAX_GIVEN_NAME:
        message = f"A file name has {len(name)} characters; at most {MAX_GIVEN_NAME} are allowed. Shorten “{name[:40]}…”."
        return Problem("files", message, "name_too_long")
    return None


def pbx_file_name(original: str, request_id: int, extension: str) -> str:
    """The name on the PBX, such as "corp-root-r42.crt": by its request's id the bot knows its own file again.

    Lower-case ASCII letters, digits, dots and hyphens only; at most 60 characters and the extension.
    """
    base = _FILE_ENDINGS.sub("", re.split(r"[/\\]", original)[-1])
    folded = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]*-[^a-z0-9]*|[^a-z0-9.-]+|\.{2,}", "-", folded)
    mark = f"-r{request_id}"
    stem = stem.strip(".-")[: MAX_STEM - len(mark)].rstrip(".-") or "certificate"
    return f"{stem}{mark}.{extension.removeprefix('.')}"

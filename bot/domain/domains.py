"""Domain names that a certificate can be issued to: DNS names, international ones in IDNA 2008 (RFC 5891, UTS 46)."""

import ipaddress
import re

import idna

from bot.domain.problems import Problem

#: DNS counts octets on the wire; as text without the final dot that is 253, and 63 a label (RFC 1035, section 2.3.4).
MAX_DOMAIN = 253
MAX_LABEL = 63

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
#: UTS 46 reads these as the dot between labels.
_DOTS = re.compile("[.。．｡]")

_SAY = {
    "domain_empty": "The domain is missing. Give the name that the certificate is for, such as pbx.example.com.",
    "domain_scheme": "This is an address with a scheme such as https://. Give only the domain, such as pbx.example.com.",
    "domain_path": 'A domain has no "/", "?" or "#". Give only the name, such as pbx.example.com.',
    "domain_mail": "This is a mail address. Give the domain of the PBX, such as pbx.example.com.",
    "domain_space": "A domain has no spaces and no invisible characters in it. Type it again without them.",
    "domain_ip": "This is an IP address. A certificate is applied for by DNS, so give a domain such as pbx.example.com.",
    "domain_port": 'A domain has no port and no ":". Give only the name, such as pbx.example.com.',
    "domain_underscore": 'A host name has no underscore. If the name is right, it cannot get a certificate; "-" is allowed.',
    "domain_wildcard": (
        'A "*" may only stand alone at the very left, as in *.example.com, where it covers one label. Correct it, or '
        "give the full name."
    ),
    "domain_single_label": (
        "A domain needs at least two parts, such as example.com, and a wildcard at least three, such as *.example.com. "
        "Give the full name."
    ),
    "domain_empty_label": "There is a dot too many: a part of the domain is empty. Correct it.",
    "domain_label_too_long": f"A part of the domain is longer than {MAX_LABEL} characters, more than DNS allows. Shorten it.",
    "domain_too_long": f"The domain is longer than {MAX_DOMAIN} characters, more than DNS allows. Shorten it.",
    "domain_hyphen": (
        "A part of the domain begins or ends with a hyphen, or has two hyphens in third and fourth place. Correct it."
    ),
    "domain_character": (
        "The domain has a character that domain names do not allow (IDNA 2008), or an xn-- part that stands for "
        "nothing. Use letters, digits and hyphens."
    ),
    "domain_numeric": "The last part of a domain cannot be only digits. Give the full name, such as pbx.example.com.",
}


def domain_problem(text: str) -> Problem | None:
    """Why a certificate cannot be applied for under this name, or None."""
    found = _read(text)
    return found if isinstance(found, Problem) else None


def normalise_domain(text: str, *, single_label: bool = False) -> str:
    """The name as DNS has it: lower case, international labels as xn--, without the final dot; idempotent.

    ``single_label`` allows names like "localhost". Raises ValueError, with the problem's sentence, for what is no domain.
    """
    found = _read(text, single_label=single_label)
    if isinstance(found, Problem):
        raise ValueError(found.message)
    return found


def _read(text: str, *, single_label: bool = False) -> str | Problem:
    text = text.strip()
    code = _not_a_name(text) or _bad_wildcard(text)
    if code:
        return _problem(code)
    star = "*." if text.startswith("*.") else ""
    labels = _DOTS.split(text.removeprefix("*."))
    if labels[-1] == "" and len(labels) > 1:
        labels.pop()
    return _assembled(star, labels, single_label=single_label)


def _not_a_name(text: str) -> str | None:
    """What people paste instead of a name, the most telling first."""
    checks = (
        ("domain_empty", text in {"", "."}),
        ("domain_scheme", "://" in text),
        ("domain_ip", _is_address(text)),
        ("domain_path", any(mark in text for mark in "/?#\\")),
        ("domain_mail", "@" in text),
        ("domain_port", ":" in text),
        ("domain_space", any(character.isspace() or _invisible(character) for character in text)),
        ("domain_underscore", "_" in text),
    )
    return next((code for code, wrong in checks if wrong), None)


def _invisible(character: str) -> bool:
    """Not the two joiners: IDNA allows them inside some scripts (RFC 5892, appendix A)."""
    return not character.isprintable() and character not in "\u200c\u200d"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return False
    return True


def _bad_wildcard(text: str) -> str | None:
    return "domain_wildcard" if "*" in text.removeprefix("*.") else None


def _assembled(star: str, labels: list[str], *, single_label: bool) -> str | Problem:
    encoded = [_encoded(label) for label in labels]
    bad = next((label for label in encoded if isinstance(label, Problem)), None)
    if bad is not None:
        return bad
    name = star + ".".join(str(label) for label in encoded)
    if len(name) > MAX_DOMAIN:
        return _problem("domain_too_long")
    if len(encoded) < 2 and (star or not single_label):
        return _problem("domain_single_label")
    return _problem("domain_numeric") if str(encoded[-1]).isdigit() else name


def _encoded(label: str) -> str | Problem:
    """One label as an A-label or plain ASCII (RFC 5890)."""
    if not label:
        return _problem("domain_empty_label")
    if len(label) > MAX_DOMAIN:
        return _problem("domain_label_too_long")
    try:
        name = idna.encode(label, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        return _problem(_idna_code(label, error))
    return name if _LABEL.fullmatch(name) and len(name) <= MAX_LABEL else _problem("domain_character")


def _idna_code(label: str, error: Exception) -> str:
    if "too long" in str(error):
        return "domain_label_too_long"
    if label.startswith("-") or label.endswith("-") or (label[2:4] == "--" and label[:2].lower() != "xn"):
        return "domain_hyphen"
    return "domain_character"


def _problem(code: str) -> Problem:
    return Problem("domain", _SAY[code], code)

"""Domain names: what is one, and its one spelling."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.domains import domain_problem, normalise_domain

LABEL_63 = "a" * 63
LONGEST = ".".join([LABEL_63] * 3 + ["b" * 61])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pbx.example.com", "pbx.example.com"),
        (" PBX.Example.COM. ", "pbx.example.com"),
        ("*.Example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｐｂｘ．example．com", "pbx.example.com"),
        ("1.example.com", "1.example.com"),
        ("3com.example", "3com.example"),
        ("a--b.example", "a--b.example"),
        (f"{LABEL_63}.com", f"{LABEL_63}.com"),
        (LONGEST, LONGEST),
    ],
)
def test_domains_have_one_spelling(text: str, expected: str) -> None:
    """Case, spaces around, the final dot and Unicode are normalised as IDNA 2008 with UTS 46 says."""
    assert domain_problem(text) is None
    assert normalise_domain(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "domain_empty"),
        (" . ", "domain_empty"),
        ("https://pbx.example.com", "domain_scheme"),
        ("pbx.example.com/login", "domain_path"),
        ("pbx.example.com?x", "domain_path"),
        ("pbx.example.com:8088", "domain_port"),
        ("ana@example.com", "domain_mail"),
        ("192.0.2.1", "domain_ip"),
        ("192.0.2.0/24", "domain_ip"),
        ("2001:db8::1", "domain_ip"),
        ("[2001:db8::1]", "domain_ip"),
        ("pbx example.com", "domain_space"),
        ("pbx\u200b.example.com", "domain_space"),
        ("pbx\u202e.example.com", "domain_space"),
        ("my_pbx.example.com", "domain_underscore"),
        ("_acme-challenge.example.com", "domain_underscore"),
        ("*", "domain_wildcard"),
        ("p*.example.com", "domain_wildcard"),
        ("pbx.*.com", "domain_wildcard"),
        ("*.*.example.com", "domain_wildcard"),
        ("localhost", "domain_single_label"),
        ("*.com", "domain_single_label"),
        ("*.", "domain_empty_label"),
        ("pbx..example.com", "domain_empty_label"),
        (".example.com", "domain_empty_label"),
        ("example.com..", "domain_empty_label"),
        (f"a{LABEL_63}.com", "domain_label_too_long"),
        ("ü" * 60 + ".example", "domain_label_too_long"),
        ("x" * 5000 + ".example", "domain_label_too_long"),
        (f"{LONGEST}b", "domain_too_long"),
        (f"*.{LONGEST}", "domain_too_long"),
        ("-pbx.example.com", "domain_hyphen"),
        ("pbx-.example.com", "domain_hyphen"),
        ("ab--c.example.com", "domain_hyphen"),
        ("☃.example.com", "domain_character"),
        ("a,b.example.com", "domain_character"),
        ("xn--a.example.com", "domain_character"),
        ("a／b.example.com", "domain_character"),
        ("…com.example", "domain_character"),
        ("pbx.example.123", "domain_numeric"),
        ("1.2.3", "domain_numeric"),
    ],
)
def test_what_is_no_domain_has_its_sentence(text: str, code: str) -> None:
    """Each mistake has a sentence of its own, next to the field, and cannot be normalised."""
    problem = domain_problem(text)
    assert problem is not None
    assert (problem.field, problem.code) == ("domain", code)
    with pytest.raises(ValueError, match=r"\w") as caught:
        normalise_domain(text)
    assert str(caught.value) == problem.message


def test_a_single_label_is_a_host_but_no_domain() -> None:
    """Hosts such as localhost are allowed where that is asked for, wildcards of a top-level domain never."""
    assert normalise_domain("LocalHost", single_label=True) == "localhost"
    with pytest.raises(ValueError, match="two parts"):
        normalise_domain("*.com", single_label=True)


NAMES = st.from_regex(r"(\*\.)?[a-zA-Z0-9äßéλж。.-]{1,30}\.(com|EXAMPLE|де)\.?", fullmatch=True)


@given(st.one_of(NAMES, st.text(max_size=60)))
@example("*.İstanbul.example")
@example("ﬁ.example")
def test_normalising_is_idempotent(text: str) -> None:
    """What was normalised is a domain in plain lower-case ASCII, and normalising it again changes nothing."""
    try:
        name = normalise_domain(text)
    except ValueError:
        assert domain_problem(text) is not None
        return
    assert normalise_domain(name) == name
    assert name.isascii()
    assert name == name.lower()
    assert domain_problem(name) is None

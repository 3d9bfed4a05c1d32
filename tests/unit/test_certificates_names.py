"""Names of files: those that people give and those that the PBX gets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.certificates import SERVER_EXTENSION, TRUSTED_EXTENSION, check_file_name, pbx_file_name
from bot.domain.problems import printable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "name_empty"),
        ("  ", "name_empty"),
        ("C:\\certs\\pbx.crt", "name_path"),
        ("../pbx.crt", "name_path"),
        ("certs/pbx.crt", "name_path"),
        ("C:pbx.crt", "name_path"),
        ("..", "name_path"),
        ("pbx\n.crt", "name_characters"),
        ("pbx\x00.crt", "name_characters"),
        ("pbx\u202etrc.exe", "name_characters"),
        ("p" * 101, "name_too_long"),
        ("p" * 96 + ".crt", None),
        ("corp root (2026).crt", None),
        ("证书.crt", None),
        ("..pbx..crt", None),
    ],
)
def test_given_names_are_judged(name: str, expected: str | None) -> None:
    """Empty, with path parts, with invisible characters or too long: each has its own sentence; others are taken."""
    problem = check_file_name(name)
    assert (problem.code if problem else None) == expected
    assert problem is None or (problem.field == "files" and problem.message.isprintable())


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("Corp Root.CRT", "corp-root-r42.crt"),
        ("corp-root.pem", "corp-root-r42.crt"),
        ("pbx.example.com.crt", "pbx.example.com-r42.crt"),
        ("chain.cer.txt", "chain-r42.crt"),
        ("*.example.com.pem", "example.com-r42.crt"),
        ("Zertifikat für Köln.crt", "zertifikat-fur-koln-r42.crt"),
        ("证书.crt", "certificate-r42.crt"),
        (".crt", "certificate-r42.crt"),
        ("a - b__c..d.crt", "a-b-c-d-r42.crt"),
        ("C:\\certs\\pbx.crt", "pbx-r42.crt"),
    ],
)
def test_names_on_the_pbx_are_plain_and_carry_the_request(original: str, expected: str) -> None:
    """Lower-case ASCII, one ending, and the request's id."""
    assert pbx_file_name(original, 42, TRUSTED_EXTENSION) == expected


@given(st.text(max_size=200), st.integers(1, 10**9), st.sampled_from([TRUSTED_EXTENSION, SERVER_EXTENSION, "pem"]))
def test_any_name_becomes_a_good_one(original: str, request: int, extension: str) -> None:
    """Whatever the original, the name is safe, short, ends in id and extension, and passes our own check."""
    name = pbx_file_name(original, request, extension)
    assert re.fullmatch(rf"[a-z0-9][a-z0-9.-]{{0,58}}-r{request}\.(crt|pem)", name)
    assert len(name) <= 64
    assert ".." not in name
    assert check_file_name(name) is None


def test_two_requests_never_share_a_name() -> None:
    """The same file asked for twice has two names, also where the name is cut."""
    assert len({pbx_file_name("p" * 300, request, ".pem") for request in (1, 2, 12, 21)}) == 4


def test_long_text_is_cut_visibly() -> None:
    """What is too long for a sentence ends in an ellipsis and keeps its limit."""
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"

"""Every validation that the form has: said next to the field, or in the form shown again, and nothing typed is lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pki import Authority, self_signed
from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

REASON = "So that it can be told apart"
FILE = tuple[str, bytes]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all: what is refused leaves nothing behind."""
    one = World(tmp_path_factory.mktemp("validation")).start()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def nothing_open(world: World) -> Iterator[None]:
    """Each test closes what it opened."""
    yield
    for modal in reversed(world.tess.modals):
        modal.close()


def filled(world: World, kind: str, *files: FILE) -> Modal:
    form = world.open_form()
    if kind == "trusted":
        world.fill_trusted(form, *files)
    else:
        world.fill_import(form)
        form.attach("files", *files)
    form.type("reason", REASON)
    return form


def shown_again(world: World, form: Modal) -> str:
    """Submit, wait for the check's word, and see that it is the form again with everything in it; its text."""
    names = form.value("files")
    world.check(form)
    assert form.view["callback_id"] == "form", form.texts()
    assert (form.value("pbx"), form.value("reason")) == ("hq", REASON)
    text = "\n".join(form.texts())
    (received,) = [line for line in text.splitlines() if line.startswith("Received: ")]
    assert all(f"`{name}` (" in received for name in names)
    assert "Replace the file(s)" in form.field_labels()
    return text


def refused(form: Modal, field: str) -> str:
    """Submit, and see that nothing moved but a sentence next to that field; the sentence."""
    assert form.submit().outcome == "acked"
    assert form.view["callback_id"] == "form"
    assert set(form.errors) == {f"f0:{field}"}, form.errors
    return form.errors[f"f0:{field}"]


def test_what_does_not_parse_is_named(world: World) -> None:
    """A file with nothing in it that is known is named, with what would be taken."""
    text = shown_again(world, filled(world, "trusted", ("notes.txt", b"call the provider on Monday\n")))
    assert "The file notes.txt holds nothing that is known here: neither PEM text nor DER." in text
    assert "[not_recognised]" in text


@pytest.mark.parametrize("kind", ["trusted", "import"])
def test_an_expired_certificate_is_refused(world: World, kind: str) -> None:
    """The sentence says which certificate it is and when it expired."""
    past = datetime(2024, 1, 1, tzinfo=UTC)
    if kind == "trusted":
        files = [("old.crt", Authority.make("Old Root", days=30, not_before=past).cert_pem)]
    else:
        files = [("old.pem", world.root.issue("pbx.example.com", days=30, not_before=past).bundle_pem)]
    text = shown_again(world, filled(world, kind, *files))
    assert "expired on 2024-01-31 00:00 UTC. Ask its CA for a new one. [expired]" in text


@pytest.mark.parametrize("kind", ["trusted", "import"])
def test_a_certificate_of_tomorrow_is_refused(world: World, kind: str) -> None:
    """What is not valid yet is refused with the day from which it is."""
    later = datetime.now(UTC) + timedelta(days=3)
    early = Authority.make("Early Root", not_before=later) if kind == "trusted" else None
    files = [("early.crt", early.cert_pem if early else world.root.issue("pbx.example.com", not_before=later).bundle_pem)]
    text = shown_again(world, filled(world, kind, *files))
    assert f"is not valid before {later:%Y-%m-%d}" in text
    assert "[not_yet_valid]" in text


def test_a_key_of_another_certificate_is_refused(world: World) -> None:
    """A key that does not belong to the certificate is named with its file."""
    files = [("cert.pem", world.leaf().cert_pem), ("other.key", world.leaf().key_pem)]
    text = shown_again(world, filled(world, "import", *files))
    assert "The private key in the file other.key (EC P-256) does not belong to the certificate “CN=pbx.example.com”" in text
    assert "[key_mismatch]" in text


def test_a_private_key_in_a_trusted_ca_file_is_refused(world: World) -> None:
    """A CA's key must not be sent to anybody: the file is to be deleted in Slack."""
    text = shown_again(world, filled(world, "trusted", ("root.pem", world.root.cert_pem + world.root.key_pem)))
    assert "The file root.pem holds a private key." in text
    assert "Delete this file in Slack, and choose one with only the certificate. [key_in_trusted]" in text


@pytest.mark.parametrize("own", [True, False])
def test_a_trusted_ca_file_that_is_no_ca_is_refused(world: World, own: bool) -> None:
    """A server's certificate is no CA, whether a CA or nobody else signed it."""
    leaf = self_signed("pbx.example.com") if own else world.leaf()
    text = shown_again(world, filled(world, "trusted", ("server.crt", leaf.cert_pem)))
    assert "its basic constraints do not say CA" in text
    assert "[not_a_ca]" in text


def test_a_missing_key_is_asked_for(world: World) -> None:
    """A server certificate without its key is of no use, and that is said."""
    text = shown_again(world, filled(world, "import", ("cert.pem", world.leaf().cert_pem)))
    assert "There is no private key in the files" in text
    assert "[no_key]" in text


def foreign_files(world: World) -> dict[str, tuple[FILE, str]]:
    leaf = world.root.intermediate("Between").issue("pbx.example.com")
    return {
        "pkcs12": (("pbx.pfx", leaf.pkcs12("pw")), "openssl pkcs12 -in pbx.pfx -nodes -out pbx-converted.pem"),
        "pkcs7": (("pbx.p7b", leaf.pkcs7_pem()), "openssl pkcs7 -print_certs -in pbx.p7b -out pbx-converted.pem"),
        "pkcs7_der": (("pbx.p7c", leaf.pkcs7_der()), "openssl pkcs7 -inform DER -print_certs -in pbx.p7c -out"),
        "encrypted": (("my pbx.key", leaf.encrypted_key_pem("pw")), "openssl pkey -in 'my pbx.key' -out 'my pbx-plain.key'"),
        "legacy": (("pbx.key", leaf.encrypted_key_pem("pw", legacy=True)), "openssl pkey -in pbx.key -out pbx-plain.key"),
    }


@pytest.mark.parametrize("what", ["pkcs12", "pkcs7", "pkcs7_der", "encrypted", "legacy"])
def test_other_containers_are_answered_with_the_command_that_converts_them(world: World, what: str) -> None:
    """PKCS#12, PKCS#7 and encrypted keys are not taken, but whoever sent one can copy the command for this very file."""
    file, command = foreign_files(world)[what]
    assert command in shown_again(world, filled(world, "import", file))


def test_a_missing_intermediate_is_a_warning(world: World) -> None:
    """Without its intermediate a certificate can be asked for; requester and approvers are warned."""
    leaf = world.root.intermediate("Lost Intermediate").issue("pbx.example.com")
    form = world.check(filled(world, "import", ("pbx.pem", leaf.cert_pem + leaf.key_pem)))
    assert form.view["callback_id"] == "confirm", form.texts()
    warning = "⚠️ The issuer “CN=Lost Intermediate” is not among the files. If it is an intermediate CA, add its certificate"
    assert warning in "\n".join(form.texts())


@pytest.mark.parametrize(
    ("name", "code"),
    [("a" * 101 + ".crt", "name_too_long"), ("../corp.crt", "name_path"), ("C:\\corp.crt", "name_path")],
)
def test_a_name_that_the_pbx_could_not_keep_is_refused_next_to_the_file(world: World, name: str, code: str) -> None:
    """Names too long or with parts of a path are refused at once."""
    form = filled(world, "trusted", (name, world.root.cert_pem))
    assert f"[{code}]" in refused(form, "files")
    assert (form.value("files"), form.value("reason")) == ([name], REASON)


def test_more_than_a_megabyte_is_refused_next_to_the_file(world: World) -> None:
    """The sizes that Slack tells are enough to refuse without a download."""
    padding = b"#" * 600_000
    form = filled(world, "import", ("a.pem", world.leaf().bundle_pem + padding), ("b.pem", padding))
    assert refused(form, "files") == "The files are too large: at most 1,000,000 bytes are read. [files_too_large]"
    assert not [call for call in world.slack.log if call.method == "files.info" and call.args["file"] in str(form.view)]


DOMAINS = [
    ("pbx", "domain_single_label"),
    ("https://pbx.example.com", "domain_scheme"),
    ("pbx.example.com:8088", "domain_port"),
    ("pbx_1.example.com", "domain_underscore"),
    ("192.0.2.7", "domain_ip"),
    ("pbx..example.com", "domain_empty_label"),
    ("-pbx.example.com", "domain_hyphen"),
    ("pbx.*.example.com", "domain_wildcard"),
    ("*.com", "domain_single_label"),
    ("xn--a.example.com", "domain_character"),
    (f"{'a' * 64}.example.com", "domain_label_too_long"),
    (f"{'abcdefgh.' * 29}example.com", "domain_too_long"),
    ("tess@example.com", "domain_mail"),
    ("pbx example.com", "domain_space"),
]


@pytest.mark.parametrize(("domain", "code"), DOMAINS, ids=[code for _, code in DOMAINS])
def test_what_is_no_domain_is_refused_next_to_the_field(world: World, domain: str, code: str) -> None:
    """Each way in which a text is no domain has its own sentence, and the text stays to be corrected."""
    form = world.fill_apply(world.open_form(), domain)
    assert refused(form, "domain").endswith(f" [{code}]")
    assert form.value("domain") == domain
    form.type("domain", "pbx.example.com")
    assert world.check(form).view["callback_id"] == "confirm"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("PBX.Example.COM.", "pbx.example.com"),
        ("*.Example.com", "*.example.com"),
        ("telefon.münchen.example", "telefon.xn--mnchen-3ya.example"),
        ("*.bücher。example", "*.xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
    ],
)
def test_a_domain_is_shown_as_dns_has_it(world: World, typed: str, meant: str) -> None:
    """Case, a final dot, wildcards and international labels (IDNA 2008) come out as DNS has them."""
    form = world.check(world.fill_apply(world.open_form(), typed))
    text = "\n".join(form.texts())
    assert f"*Domain*: `{meant}`" in text
    assert f"let the PBX apply for {meant} through alidns" in text


def forged(world: World, form: Modal, **changed: Any) -> dict[str, Any]:
    """Submit the form as Slack sent it, but with other values in its state; the bot's answer."""
    sent = form.submit()
    values = {block: dict(elements) for block, elements in sent.payload["view"]["state"]["values"].items()}
    for field, value in changed.items():
        values[f"f0:{field}"] = {field: value}
    view = {**sent.payload["view"], "state": {"values": values}}
    payload = {**sent.payload, "view": view, "trigger_id": f"forged-{sent.envelope_id}"}
    again = world.slack.deliver_again(replace(sent, payload=payload))
    assert again.outcome == "acked"
    return dict(again.ack or {})


def test_an_unknown_pbx_is_refused_next_to_the_field(world: World) -> None:
    """A PBX that is in no list, however it got into the submission, is refused."""
    option = {"text": {"type": "plain_text", "text": "attic"}, "value": "attic"}
    chosen = {"type": "external_select", "selected_option": option}
    answer = forged(world, world.fill_trusted(world.open_form()), pbx=chosen)
    assert answer["response_action"] == "errors"
    assert answer["errors"] == {"f0:pbx": "Choose one of the PBXs in the list. [no_pbx]"}


def test_unknown_dns_credentials_are_refused_next_to_the_field(world: World) -> None:
    """Neither a profile that is not configured nor typed credentials where these are not allowed are taken."""
    for wanted in ("nobody", ":typed"):
        chosen = {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": wanted}}
        answer = forged(world, world.fill_apply(world.open_form()), dns=chosen)
        assert answer["errors"] == {"f0:dns": "Choose the DNS credentials that the PBX shall use. [no_dns]"}


def test_blank_text_is_no_reason(world: World) -> None:
    """Spaces, which Slack's client takes, are not a reason."""
    form = world.fill_trusted(world.open_form())
    form.type("reason", "   ")
    assert refused(form, "reason") == "Say why: the approvers decide by it. [no_reason]"


def test_every_problem_is_said_at_once(world: World) -> None:
    """Whoever made two mistakes learns of both from one submission."""
    form = world.fill_apply(world.open_form(), "pbx")
    form.type("reason", " ")
    form.submit()
    assert set(form.errors) == {"f0:domain", "f0:reason"}

"""Each kind of request, from the command to the certificate on the PBX."""

from itertools import permutations
from typing import Any

import pytest

from bot.sandbox.pki import Issued
from bot.sandbox.slack.modal import Modal
from tests.flow.world import ALI_ID, ALI_SECRET, World

#: The profile "corp" as the PBX has to receive it, each value under the key of its type.
CORP = [
    {"k": "AccessKeyId", "sv": ALI_ID},
    {"k": "AccessKeySecret", "sv": ALI_SECRET},
    {"k": "PropagationTimeout", "iv": 300},
]


def listed(world: World) -> list[tuple[str, str, str]]:
    return [(one.name, one.type, one.issue_to) for one in world.hq.certificates]


def received_auth_info(world: World) -> list[dict[str, Any]]:
    """What the PBX keeps of the credentials, in the order of their keys."""
    dns = world.hq.certificates[-1].dns
    assert dns is not None
    return sorted(dns.auth_info_list, key=lambda entry: str(entry["k"]))


def with_intermediate(world: World, name: str = "pbx.example.com") -> Issued:
    return world.root.intermediate("Flow Test Intermediate").issue(name, sans=[name])


def test_a_trusted_ca_is_asked_for_approved_and_installed(world: World) -> None:
    """A trusted CA goes from the form through one approval to the PBX's list, and the thread tells each step."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    lines = world.wait_thread(card, "now lists")
    assert listed(world) == [("corp-root-r1.crt", "trusted", "Flow Test Root")]
    signs = [line[0] for line in lines]
    assert signs == ["👍", "👍", "⚙", "🔎", "📤", "📥", "✅"]
    assert "(id 1, type trusted, issued to `Flow Test Root`" in lines[-1]
    assert "from the approval. @Tess Technician, @Ana Lead" in lines[-1]
    assert "done" in world.wait_card(card, "Listed on `hq` as id 1")
    world.verify_chain()


def test_an_import_without_renewal_is_installed_without_dns(world: World) -> None:
    """A server certificate goes in as a file with auto_renewal 0, and the PBX is told nothing of DNS."""
    card = world.ask(world.fill_import)
    assert "Automatic renewal is on" not in world.card(card)
    world.approve(card)
    last = world.wait_thread(card, "now lists")[-1]
    assert "✅ *done*: `hq` now lists `pbx-r1.pem` (id 1, type server, issued to `pbx.example.com`" in last
    (one,) = world.hq.certificates
    assert (one.name, one.ca_type, one.auto_renewal, one.dns) == ("pbx-r1.pem", "upload", 0, None)
    (create,) = [call for call in world.hq.calls if call.path == "certificate/create"]
    assert create.params["auto_renewal"] == 0
    assert not {"dns_provider", "auth_info_list"} & set(create.params)


def test_an_import_with_renewal_warns_and_brings_typed_dns_parameters(world: World) -> None:
    """With auto_renewal 1 the card warns of the PBX's own CA, and each DNS parameter arrives under the key of its type."""

    def fill(form: Modal) -> Modal:
        world.fill_import(form)
        form.check("auto_renewal", "1")
        world.slack.wait_for(lambda: "DNS credentials" in form.field_labels())
        form.choose("dns", "corp")
        return form

    card = world.ask(fill)
    shown = world.card(card)
    assert "Automatic renewal is on: before this certificate expires, the PBX will likely replace it by one from its" in shown
    assert "from its own CA. Devices that trust only this issuer would then refuse it." in shown
    assert "*DNS credentials*: profile “corp” of the configuration" in shown
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert (world.hq.certificates[0].auto_renewal, world.hq.certificates[0].dns_provider) == (1, "alidns")
    assert received_auth_info(world) == CORP


def test_an_application_is_followed_until_it_is_issued(world: World) -> None:
    """An application is followed over several looks, and the thread says when it was issued and what is listed then."""
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.let_it_be_issued()
    lines = world.wait_thread(card, "now lists")
    assert [line[0] for line in lines] == ["👍", "👍", "⚙", "🔎", "⏳", "📜", "✅"]
    assert "The certificate for `pbx.example.com` was issued" in lines[-2]
    assert "now lists `pbx.example.com.pem` (id 1, type server, issued to `pbx.example.com`" in lines[-1]
    (one,) = world.hq.certificates
    assert (one.ca_type, one.apply_status, one.dns_provider) == ("apply", "issuance_success", "alidns")
    assert received_auth_info(world) == CORP
    created = next(call.number for call in world.hq.calls if call.path == "certificate/create")
    looks = [call for call in world.hq.calls if call.path == "certificate/list" and call.number > created]
    assert len(looks) > world.issuance_polls
    assert world.hq.count("certificate/create") == 1


@pytest.mark.parametrize("order", [*permutations(range(3))][1::2])
def test_three_files_are_joined_in_whatever_order_they_come(world: World, order: tuple[int, ...]) -> None:
    """Certificate, chain and key in three files make the same bundle in any order."""
    leaf = with_intermediate(world)
    parts = [("cert.pem", leaf.cert_pem), ("chain.pem", leaf.chain_pem), ("private.key", leaf.key_pem)]

    def fill(form: Modal) -> Modal:
        world.fill_import(form)
        form.attach("files", *(parts[place] for place in order))
        return form

    card = world.ask(fill)
    shown = world.card(card)
    assert "*Joined in this order*: certificate, 1 chain certificate, private key" in shown
    assert "*Chain*: `CN=Flow Test Intermediate`" in shown
    assert "*Private key was in*: `private.key`" in shown
    world.approve(card)
    world.wait_thread(card, "now lists")
    (one,) = world.hq.certificates
    assert one.pem.startswith(leaf.cert_pem.strip()[:200])
    assert one.pem.strip() == (leaf.cert_pem + leaf.chain_pem).strip()


def test_der_files_are_converted(world: World) -> None:
    """Certificate and key in DER are turned into the PEM that the PBX wants."""
    leaf = world.leaf()

    def fill(form: Modal) -> Modal:
        world.fill_import(form)
        form.attach("files", ("pbx.cer", leaf.der()), ("pbx.key", leaf.key_der()))
        return form

    card = world.ask(fill)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert world.hq.certificates[0].pem.strip() == leaf.cert_pem.strip()
    assert world.hq.certificates[0].key.strip() == leaf.key_pem.strip()


def test_the_file_that_held_the_key_is_named_with_its_link_at_the_end(world: World) -> None:
    """The last line asks the requester to delete the file with the key, by a link, and names no file without one."""
    leaf = world.leaf()

    def fill(form: Modal) -> Modal:
        world.fill_import(form)
        form.attach("files", ("cert.pem", leaf.cert_pem), ("private.key", leaf.key_pem))
        return form

    card = world.ask(fill)
    world.approve(card)
    said = world.wait_thread(card, "now lists")[-1].splitlines()[-1]
    assert said.startswith("🔑 @Tess Technician, please delete private.key (http")
    assert said.endswith("/private.key) from Slack now: a private key is in it.")
    assert "cert.pem" not in said


def test_a_wildcard_and_an_international_domain_are_applied_for_in_dns_form(world: World) -> None:
    """What is asked for as *.BÜCHER.example. reaches the PBX as *.xn--bcher-kva.example."""
    card = world.ask(world.fill_apply, domain=" *.BÜCHER.example. ")
    assert "*Domain*: `*.xn--bcher-kva.example`" in world.card(card)
    world.approve(card)
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")
    assert [one.issue_to for one in world.hq.certificates] == ["*.xn--bcher-kva.example"]


def test_the_name_on_the_pbx_does_not_come_from_the_key_file(world: World) -> None:
    """Where certificate and key came apart, the certificate's own name gives the name, whichever file was first."""
    leaf = world.leaf("pbx.example.com")
    form = world.fill_import(world.open_form())
    form.attach("files", ("private.key", leaf.key_pem), ("leaf.pem", leaf.cert_pem))
    text = "\n".join(world.check(form).texts())
    assert "*Name on the PBX*: `pbx.example.com-r1.pem`" in text, text

"""The form while it is filled in: it changes with what is chosen, and what was typed stays."""

from collections.abc import Iterator

import pytest

from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

TYPED = "Type the credentials here"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world in which credentials may be typed; nothing here goes further than the check."""
    one = World(tmp_path_factory.mktemp("form"), slack_lines="allow_typed_dns_credentials = true").start()
    yield one
    one.close()


@pytest.fixture
def form(world: World) -> Iterator[Modal]:
    yield world.open_form()
    for modal in reversed(world.tess.modals):
        modal.close()


def wait_field(world: World, form: Modal, label: str) -> None:
    world.slack.wait_for(lambda: label in form.field_labels())


def fill_typed(world: World, form: Modal, provider: str = "alidns", **params: str) -> Modal:
    """An application with credentials that are typed for this provider."""
    world.fill_apply(form)
    form.choose("dns", TYPED)
    wait_field(world, form, "DNS provider")
    form.pick("provider", provider)
    for key, value in params.items():
        wait_field(world, form, key)
        form.type(key, value)
    return form


def test_each_kind_shows_its_own_fields_and_keeps_what_was_typed(world: World, form: Modal) -> None:
    """A trusted CA wants a file, an import also renewal, an application a domain and DNS; PBX, reason and domain stay."""
    assert form.field_labels() == ["PBX", "What do you need?", "CA certificate", "Reason", "Start"]
    form.pick("pbx", "branch")
    form.type("reason", "Typed before anything else")
    world.choose_kind(form, "import")
    renewal = ["PBX", "What do you need?", "Certificate and private key", "Automatic renewal", "Reason", "Start"]
    assert form.field_labels() == renewal
    form.check("auto_renewal", "1")
    wait_field(world, form, "DNS credentials")
    assert form.field_labels() == [*renewal[:4], "DNS credentials", "Reason", "Start"]
    world.choose_kind(form, "apply")
    assert form.field_labels() == ["PBX", "What do you need?", "Domain", "DNS credentials", "Reason", "Start"]
    form.type("domain", "pbx.example.com")
    world.choose_kind(form, "trusted")
    world.choose_kind(form, "apply")
    told = (form.value("pbx"), form.value("reason"), form.value("domain"), form.value("kind"))
    assert told == ("branch", "Typed before anything else", "pbx.example.com", "apply")


def test_two_quick_changes_end_with_the_fields_of_the_second(world: World, form: Modal) -> None:
    """Whoever chooses again before the form was repainted gets the fields of what they chose last."""
    world.slack.trouble.delay("views.update", 0.3, before=True)
    form.choose("kind", "import")
    form.choose("kind", "apply")
    world.slack.trouble.clear()
    wait_field(world, form, "Domain")
    assert form.value("kind") == "apply"


def test_a_submission_that_overtakes_the_repaint_is_answered_with_the_missing_fields(world: World, form: Modal) -> None:
    """Whoever submits before the new fields are there gets the form with them, and the sentence above."""
    world.fill_trusted(form)
    world.slack.trouble.delay("views.update", 0.5, before=True)
    form.choose("kind", "apply")
    sent = form.submit()
    world.slack.trouble.clear()
    assert sent.problem is None
    assert form.field_labels() == ["PBX", "What do you need?", "Domain", "DNS credentials", "Reason", "Start"]
    assert "[domain_empty]" in "\n".join(form.texts())
    assert form.value("reason") == "The new provider's phones"


def test_the_pbx_is_found_by_a_part_of_its_name(world: World, form: Modal) -> None:
    """The list of PBXs comes from the bot: all of them without a text, those that fit with one."""
    assert form.options("pbx") == ["hq", "branch"]
    assert form.options("pbx", "RAN") == ["branch"]
    assert form.options("pbx", "nothing") == []


def test_a_channel_of_one_pbx_chooses_it_beforehand(world: World) -> None:
    """Asked in a PBX's own channel, the form has that PBX; the shortcut knows of no channel, and so of no PBX."""
    there = world.open_form(world.ana, world.branch_channel)
    assert there.value("pbx") == "branch"
    there.close()
    assert world.ana.shortcut("pbx_cert").outcome == "acked"
    anywhere = world.ana.wait_modal(callback_id="form")
    assert anywhere.value("pbx") is None
    anywhere.close()


def test_the_provider_is_found_by_name_and_brings_its_own_parameters(world: World, form: Modal) -> None:
    """The provider is searched among all known ones, and its parameters become the fields, the needed ones first."""
    world.fill_apply(form)
    form.choose("dns", TYPED)
    wait_field(world, form, "DNS provider")
    assert "Amazon Route 53" in form.options("provider", "route")
    assert form.options("provider", "no such provider at all") == []
    form.pick("provider", "alidns")
    wait_field(world, form, "AccessKeySecret")
    shown = form.field_labels()
    assert shown[:4] == ["PBX", "What do you need?", "Domain", "DNS credentials"]
    assert shown[4:7] == ["DNS provider", "AccessKeyId", "AccessKeySecret"]
    form.type("AccessKeyId", "LTAI-of-alidns")
    form.pick("provider", "route53")
    wait_field(world, form, "SecretAccessKey")
    assert form.value("AccessKeyId") is None


def test_a_parameter_of_the_wrong_type_is_refused_next_to_its_field(world: World, form: Modal) -> None:
    """A number is a number: "300s" is not taken, and what was typed stays."""
    fill_typed(world, form, AccessKeyId="LTAI1", AccessKeySecret="s3cret", PropagationTimeout="300s")
    form.submit()
    sentence = "PropagationTimeout must be a whole number from 0 to 2147483647, without a unit. Write 300, not 300s."
    assert form.errors == {"f0:param.alidns.PropagationTimeout": f"{sentence} [dns_param_type]"}
    assert form.value("AccessKeySecret") == "s3cret"


def test_a_missing_parameter_is_refused_next_to_its_field(world: World, form: Modal) -> None:
    """A provider's set must be complete; spaces, which Slack's client takes, are nothing."""
    fill_typed(world, form, AccessKeyId="LTAI1", AccessKeySecret="  ")
    form.submit()
    (block,) = form.errors
    assert block == "f0:param.alidns.AccessKeySecret"
    assert "Alibaba Cloud DNS needs it, and without it the PBX refuses the request. [dns_param_missing]" in form.errors[block]


def test_a_missing_provider_is_refused_next_to_its_field(world: World, form: Modal) -> None:
    """Typed credentials belong to a provider, and Slack's client already asks for it."""
    world.fill_apply(form)
    form.choose("dns", TYPED)
    wait_field(world, form, "DNS provider")
    assert form.submit().outcome == "refused by client"
    assert set(form.errors) == {"f0:provider"}


def test_typed_secrets_are_kept_and_never_come_back(world: World, form: Modal) -> None:
    """Whoever changes something after the check finds their credentials as kept; the form works without them typed again."""
    fill_typed(world, form, AccessKeyId="LTAI1", AccessKeySecret="s3cret-of-tess")
    world.check(form)
    assert form.view["callback_id"] == "confirm"
    form.click("change")
    world.slack.wait_for(lambda: form.view["callback_id"] == "form")
    assert form.value("AccessKeySecret") is None
    assert "AccessKeySecret: (kept; type to replace)" in "\n".join(form.texts())
    assert "s3cret-of-tess" not in repr(form.view)
    assert (form.value("domain"), form.value("provider")) == ("pbx.example.com", "alidns")
    world.check(form)
    assert form.view["callback_id"] == "confirm", form.texts()
    assert "*Parameters given*: `AccessKeyId`, `AccessKeySecret`" in "\n".join(form.texts())


def test_credentials_cannot_be_typed_where_that_is_not_allowed(quiet: World) -> None:
    """By default only the profiles of the configuration can be chosen."""
    world = quiet.start()
    form = world.open_form()
    world.choose_kind(form, "apply")
    (block,) = [each for each in form.view["blocks"] if each["block_id"] == "f0:dns"]
    assert [option["text"]["text"] for option in block["element"]["options"]] == ["corp (alidns)"]

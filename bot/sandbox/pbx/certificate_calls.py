"""The calls below ``certificate/``, each as its page in the vendor's developer guide describes it."""

from typing import Any

from bot.sandbox.pbx.answers import BAD_PARAMETER, BAD_SYNTAX, IN_USE, NOT_FOUND, Answer, Refusal, success
from bot.sandbox.pbx.appliance import Appliance
from bot.sandbox.pbx.certificates import APPLY, KINDS, SERVER, TRUSTED, UPLOAD, StoredCertificate
from bot.sandbox.pbx.content import Content, read_server, read_trusted
from bot.sandbox.pbx.dns import read_settings
from bot.sandbox.pbx.incoming import Incoming, Part
from bot.sandbox.pbx.params import Params, choice, digits, domain, number, switch, text
from bot.sandbox.pbx.uploads import TemporaryFile

PAGE_SIZE = 10


def upload(pbx: Appliance, call: Incoming) -> Answer:
    """upload-a-certificate: a file into temporary storage; what is in it is judged at create."""
    if call.form is None:
        raise Refusal(BAD_SYNTAX)
    kind, part = choice(call.form, "type", KINDS), call.form.get("file")
    if not isinstance(part, Part):
        raise Refusal(BAD_PARAMETER)
    return success(file=pbx.uploads.keep(kind, part.filename, part.content))


def create(pbx: Appliance, call: Incoming) -> Answer:
    """add-a-certificate: from an uploaded file, or by applying for one. The answer has no id."""
    params = call.json()
    kind = choice(params, "type", KINDS)
    if kind == TRUSTED:
        certificate = _import(pbx, params, TRUSTED)
    elif choice(params, "ca_type", (UPLOAD, APPLY)) == UPLOAD:
        certificate = _import(pbx, params, SERVER)
    else:
        certificate = _apply(pbx, params)
    return success(name=certificate.name, apply_status=certificate.apply_status)


def update(pbx: Appliance, call: Incoming) -> Answer:
    """edit-a-certificate: server certificates only; what does not act on this kind of entry is passed over."""
    params = call.json()
    certificate = pbx.certificates.get(number(params, "id"))
    if certificate.type != SERVER:
        raise Refusal(BAD_PARAMETER)
    if certificate.ca_type == APPLY:
        _update_applied(pbx, certificate, params)
    else:
        _update_imported(pbx, certificate, params)
    return success()


def show_list(pbx: Appliance, call: Incoming) -> Answer:
    """query-certificate-list: one page, with the number of all that match."""
    query = call.query
    kind = choice(query, "type", KINDS) if "type" in query else None
    page = digits(query, "page", 1)
    size = min(digits(query, "page_size", PAGE_SIZE), pbx.most_per_page)
    found = pbx.certificates.ordered(kind, query.get("sort_by", "id"), query.get("order_by", "asc"))
    shown = found[(page - 1) * size : page * size]
    return success(total_number=len(found), certificate_list=[pbx.look_at(one) for one in shown])


def show_one(pbx: Appliance, call: Incoming) -> Answer:
    """query-information-of-a-certificate."""
    return success(certificate=pbx.look_at(pbx.certificates.get(digits(call.query, "id"))))


def show_several(pbx: Appliance, call: Incoming) -> Answer:
    """query-information-of-multiple-certificates: those of the ids that exist, 60001 if none does."""
    wanted = {digits({"id": piece}, "id") for piece in text(call.query, "ids").split(",")}
    found = [one for one in pbx.certificates if one.id in wanted]
    if not found:
        raise Refusal(NOT_FOUND)
    return success(total_number=len(found), certificate_list=[pbx.look_at(one) for one in found])


def delete(pbx: Appliance, call: Incoming) -> Answer:
    """delete-a-certificate, which is a GET; the one that the web server uses is refused."""
    certificate = pbx.certificates.get(digits(call.query, "id"))
    if certificate is pbx.web:
        raise Refusal(IN_USE)
    pbx.certificates.remove(certificate.id)
    return success(reboot=1, apply=1)


def _import(pbx: Appliance, params: Params, kind: str) -> StoredCertificate:
    """An entry from an uploaded file."""
    name = text(params, "name")
    renewal = switch(params, "auto_renewal") if kind == SERVER else None
    dns = read_settings(params) if renewal else None
    pbx.certificates.check_room(kind)
    pbx.certificates.check_name(name)
    file, content = _read(pbx, kind, name)
    certificate = StoredCertificate(pbx.certificates.next_id(), name, kind, "", auto_renewal=int(bool(renewal)), dns=dns)
    pbx.fill(certificate, content)
    pbx.uploads.use_up(file)
    return pbx.certificates.add(certificate)


def _read(pbx: Appliance, kind: str, name: str) -> tuple[TemporaryFile, Content]:
    file = pbx.uploads.find(kind, name)
    return file, read_trusted(file.content) if kind == TRUSTED else read_server(file.content)


def _apply(pbx: Appliance, params: Params) -> StoredCertificate:
    """An entry that is being issued; it has its slot and its name from the start."""
    issue_to, dns = domain(params, "issue_to"), read_settings(params)
    name = file_name_of(issue_to)
    pbx.certificates.check_room(SERVER)
    pbx.certificates.check_name(name)
    certificate = StoredCertificate(pbx.certificates.next_id(), name, SERVER, issue_to, APPLY, auto_renewal=1, dns=dns)
    pbx.start_issuing(certificate)
    return pbx.certificates.add(certificate)


def file_name_of(issue_to: str) -> str:
    """What the PBX calls an applied certificate; ``*`` cannot be in a file name, so it becomes ``_``."""
    return issue_to.replace("*", "_") + ".pem"


def _update_applied(pbx: Appliance, certificate: StoredCertificate, params: Params) -> None:
    """New DNS settings, and a new domain where one is given; a changed domain is issued anew at once."""
    dns = read_settings(params)
    issue_to = domain(params, "issue_to") if "issue_to" in params else certificate.issue_to
    pbx.certificates.check_name(file_name_of(issue_to), besides=certificate)
    certificate.dns = dns
    if issue_to != certificate.issue_to:
        certificate.issue_to, certificate.name = issue_to, file_name_of(issue_to)
        pbx.start_issuing(certificate)


def _update_imported(pbx: Appliance, certificate: StoredCertificate, params: Params) -> None:
    """Another file, or renewal on or off."""
    renewal = switch(params, "auto_renewal")
    dns = read_settings(params) if renewal else None
    if "name" in params:
        _replace_file(pbx, certificate, text(params, "name"))
    if renewal is not None:
        certificate.auto_renewal, certificate.dns = int(renewal), dns


def _replace_file(pbx: Appliance, certificate: StoredCertificate, name: str) -> None:
    pbx.certificates.check_name(name, besides=certificate)
    file, content = _read(pbx, SERVER, name)
    pbx.fill(certificate, content)
    certificate.name = name
    pbx.uploads.use_up(file)
    if certificate is pbx.web:
        pbx.use_for_web(certificate)


ROUTES: dict[str, tuple[str, Any]] = {
    "certificate/upload": ("POST", upload),
    "certificate/create": ("POST", create),
    "certificate/update": ("POST", update),
    "certificate/list": ("GET", show_list),
    "certificate/get": ("GET", show_one),
    "certificate/query": ("GET", show_several),
    "certificate/delete": ("GET", delete),
}

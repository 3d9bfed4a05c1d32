"""The calls that are not about one certificate: tokens, the web server, the system (developer-guide pages of the names)."""

import ssl

from bot.sandbox.pbx.answers import BAD_PARAMETER, FAILURE, Answer, Refusal, success
from bot.sandbox.pbx.appliance import DEFAULT, FIRMWARE, HARDWARE, MODEL, Appliance
from bot.sandbox.pbx.certificates import SERVER, StoredCertificate
from bot.sandbox.pbx.incoming import Incoming
from bot.sandbox.pbx.params import text


def get_token(pbx: Appliance, call: Incoming) -> Answer:
    """get-access-token."""
    body = call.json()
    return pbx.sessions.log_in(call.client, text(body, "username"), text(body, "password"))


def refresh_token(pbx: Appliance, call: Incoming) -> Answer:
    """refresh-access-token: without an access token in the query."""
    return pbx.sessions.refresh(text(call.json(), "refresh_token"))


def del_token(pbx: Appliance, call: Incoming) -> Answer:
    """revoke-access-token: the one that the call itself carries, and its refresh token with it."""
    pbx.sessions.revoke(call.token or "")
    return success()


def update_web_server(pbx: Appliance, call: Incoming) -> Answer:
    """update-web-server-certificate-setting: by name; new connections see the change at once."""
    name = text(call.json(), "https_cert")
    try:
        pbx.use_for_web(None if name == DEFAULT else _servable(pbx, name))
    except ssl.SSLError as error:
        # The name is right, but TLS refuses what is behind it, such as a key that is too short.
        raise Refusal(FAILURE) from error
    return success()


def information(pbx: Appliance, _call: Incoming) -> Answer:
    """query-pbx-information."""
    now = pbx.now()
    return success(
        data={
            "device_name": pbx.name,
            "model_name": MODEL,
            "sn": pbx.serial,
            "hardware_version": HARDWARE,
            "firmware_version": FIRMWARE,
            "system_time": pbx.dates.system_time(now),
            "up_time": int((now - pbx.booted_at).total_seconds()),
            "system_date_format": pbx.dates.date_format,
            "system_time_format": pbx.dates.time_format,
            "timestamp": int(now.timestamp()),
        }
    )


def menu_options(pbx: Appliance, call: Incoming) -> Answer:
    """get-menu-options, for ``menu=certificate``: the names that the web server can use."""
    if text(call.query, "menu") != "certificate":
        raise Refusal(BAD_PARAMETER)
    names = [DEFAULT, *(one.name for one in pbx.certificates if _is_servable(one))]
    return success(data=[{"text": name, "value": name, "type": SERVER} for name in names])


def _servable(pbx: Appliance, name: str) -> StoredCertificate:
    certificate = pbx.certificates.named(name)
    if not _is_servable(certificate):
        raise Refusal(BAD_PARAMETER)
    return certificate


def _is_servable(certificate: StoredCertificate) -> bool:
    return certificate.type == SERVER and bool(certificate.pem)


ROUTES = {
    "get_token": ("POST", get_token),
    "refresh_token": ("POST", refresh_token),
    "del_token": ("GET", del_token),
    "webserver/update": ("POST", update_web_server),
    "system/information": ("GET", information),
    "system/get_menuoptions": ("GET", menu_options),
}

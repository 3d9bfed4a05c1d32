"""From a request to an answer: the checks that come before every call, then the call itself."""

from collections.abc import Callable

from bot.sandbox.pbx import certificate_calls, system_calls
from bot.sandbox.pbx.answers import BAD_PARAMETER, NO_SUCH_INTERFACE, VERSION_UNSUPPORTED, Answer, Refusal
from bot.sandbox.pbx.appliance import Appliance
from bot.sandbox.pbx.incoming import Incoming

Handler = Callable[[Appliance, Incoming], Answer]

ROUTES: dict[str, tuple[str, Handler]] = {**system_calls.ROUTES, **certificate_calls.ROUTES}
WITHOUT_TOKEN = ("get_token", "refresh_token")


def answer(pbx: Appliance, call: Incoming) -> Answer:
    """What the PBX answers; a refusal is an answer too."""
    pbx.uploads.clean()
    try:
        return _handler(pbx, call)(pbx, call)
    except Refusal as refusal:
        return refusal.answer()


def _handler(pbx: Appliance, call: Incoming) -> Handler:
    """The call's handler, once nothing speaks against calling it."""
    if not call.user_agent:
        raise Refusal(BAD_PARAMETER)
    pbx.sessions.check_address(call.client)
    if call.version not in ("v1.0", "v2.0"):
        raise Refusal(VERSION_UNSUPPORTED)
    method, handler = ROUTES.get(call.path, ("", None))
    # Version 2.0 exists, for call reports only.
    if handler is None or method != call.method or call.version == "v2.0":
        raise Refusal(NO_SUCH_INTERFACE)
    if call.path not in WITHOUT_TOKEN:
        pbx.sessions.check(call.token)
    return handler

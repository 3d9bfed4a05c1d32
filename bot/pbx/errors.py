"""The one place where the errors of requests, urllib3 and the sockets below become ours.

Three things decide: whether the call can have left, what kind of trouble it was, and whether the call changes anything on the
PBX. A foreign error carries the URL with the token in it, so nothing of it is kept but its kind.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from enum import StrEnum

import requests.exceptions as theirs
import urllib3.exceptions as below

from bot.exceptions import (
    PbxBadAnswer,
    PbxError,
    PbxFateUnknown,
    PbxLimitReached,
    PbxRefused,
    PbxTokenExpired,
    PbxUnreachable,
)
from bot.pbx.words import words


class Cause(StrEnum):
    """What kind of trouble it was. Of several that are nested in each other, the first in this order names it."""

    #: The configured address cannot be used.
    ADDRESS = "address"
    #: The proxy of the environment stood in the way.
    PROXY = "proxy"
    #: The certificate was not accepted, or TLS was not agreed on.
    TLS = "tls"
    #: The host name is not known.
    NAME = "name"
    #: Nobody listens there, or there is no way there.
    CONNECT = "connect"
    #: It took too long.
    TIMEOUT = "timeout"
    #: The answer is not what it claims to be.
    GARBLED = "garbled"
    #: The connection ended before the answer did.
    CUT = "cut"
    #: An error that is only the wrapping of another one.
    VAGUE = "network"


#: Every error that requests and urllib3 know, each by itself, so that a test notices a new one; then what can leak from below.
CAUSES: Mapping[type[BaseException], Cause] = {
    theirs.RequestException: Cause.VAGUE,
    theirs.InvalidJSONError: Cause.GARBLED,
    theirs.JSONDecodeError: Cause.GARBLED,
    theirs.HTTPError: Cause.GARBLED,
    theirs.ConnectionError: Cause.VAGUE,
    theirs.ProxyError: Cause.PROXY,
    theirs.SSLError: Cause.TLS,
    theirs.Timeout: Cause.TIMEOUT,
    theirs.ConnectTimeout: Cause.TIMEOUT,
    theirs.ReadTimeout: Cause.TIMEOUT,
    theirs.URLRequired: Cause.ADDRESS,
    theirs.TooManyRedirects: Cause.GARBLED,
    theirs.MissingSchema: Cause.ADDRESS,
    theirs.InvalidSchema: Cause.ADDRESS,
    theirs.InvalidURL: Cause.ADDRESS,
    theirs.InvalidHeader: Cause.GARBLED,
    theirs.InvalidProxyURL: Cause.PROXY,
    theirs.ChunkedEncodingError: Cause.CUT,
    theirs.ContentDecodingError: Cause.GARBLED,
    theirs.StreamConsumedError: Cause.CUT,
    theirs.RetryError: Cause.VAGUE,
    theirs.UnrewindableBodyError: Cause.VAGUE,
    below.HTTPError: Cause.VAGUE,
    below.PoolError: Cause.VAGUE,
    below.RequestError: Cause.VAGUE,
    below.SSLError: Cause.TLS,
    below.ProxyError: Cause.PROXY,
    below.DecodeError: Cause.GARBLED,
    below.ProtocolError: Cause.CUT,
    below.MaxRetryError: Cause.VAGUE,
    below.HostChangedError: Cause.GARBLED,
    below.TimeoutStateError: Cause.VAGUE,
    below.TimeoutError: Cause.TIMEOUT,
    below.ReadTimeoutError: Cause.TIMEOUT,
    below.ConnectTimeoutError: Cause.TIMEOUT,
    below.NewConnectionError: Cause.CONNECT,
    below.NameResolutionError: Cause.NAME,
    below.EmptyPoolError: Cause.VAGUE,
    below.FullPoolError: Cause.VAGUE,
    below.ClosedPoolError: Cause.VAGUE,
    below.LocationValueError: Cause.ADDRESS,
    below.LocationParseError: Cause.ADDRESS,
    below.URLSchemeUnknown: Cause.ADDRESS,
    below.ResponseError: Cause.GARBLED,
    below.ResponseNotChunked: Cause.GARBLED,
    below.BodyNotHttplibCompatible: Cause.GARBLED,
    below.IncompleteRead: Cause.CUT,
    below.InvalidChunkLength: Cause.GARBLED,
    below.InvalidHeader: Cause.GARBLED,
    below.ProxySchemeUnknown: Cause.PROXY,
    below.ProxySchemeUnsupported: Cause.PROXY,
    below.HeaderParsingError: Cause.GARBLED,
    below.UnrewindableBodyError: Cause.VAGUE,
    http.client.HTTPException: Cause.CUT,
    ssl.SSLError: Cause.TLS,
    socket.gaierror: Cause.NAME,
    ConnectionRefusedError: Cause.CONNECT,
    ConnectionResetError: Cause.CUT,
    BrokenPipeError: Cause.CUT,
    TimeoutError: Cause.TIMEOUT,
    OSError: Cause.VAGUE,
}

#: What a call may raise from below; caught in one place, `bot.pbx.transport`.
FOREIGN = (OSError, below.HTTPError, below.ProxySchemeUnsupported, below.ProxySchemeUnknown, http.client.HTTPException)

_WHY_NOT_REACHED: Mapping[Cause, str] = {
    Cause.ADDRESS: "the configured address cannot be used. Correct url in the configuration.",
    Cause.PROXY: "the proxy that this machine is set to use does not let the bot through. Check the proxy settings.",
    Cause.NAME: "the host name is not known. Check url in the configuration and the name server.",
    Cause.CONNECT: "nothing answers there. Check that the PBX is up, and the port and the firewalls between.",
    Cause.TIMEOUT: "it did not answer in time. Check that the PBX is up, and the firewalls between.",
    Cause.GARBLED: "what answers there is not a PBX. Check host and port in the configuration.",
    Cause.CUT: "the connection was closed before anything was sent. Check that the PBX is up, and the port.",
    Cause.VAGUE: "there is no way to it, or a file that the connection needs cannot be read. Check network, url and tls.",
}

#: X509_V_ERR_* of OpenSSL's x509_vfy.h, as far as an administrator can do something about them.
_CERTIFICATE_TROUBLE: Mapping[int, str] = {
    9: "its certificate is not valid yet. Check the clocks of the PBX and of this machine.",
    10: "its certificate has expired. Renew it on the PBX, or pin it with tls in the configuration.",
    62: "its certificate is for another host name. Use that name in url, or pin the certificate with tls.",
    64: "its certificate does not name this IP address. Use a host name in url, or pin the certificate with tls.",
}
_SHOWN = re.compile(r'Fingerprints did not match.*got "([0-9a-f]{64})"', re.DOTALL)


def translate(error: BaseException, place: str, doing: str, *, left: bool, write: bool) -> PbxError:
    """Our error for a foreign one. ``left``: something may have reached the PBX; ``write``: the call changes something."""
    causes = [cause_of(each) for each in _nested(error)]
    cause = next(each for each in Cause if each in causes)
    if not left:
        return PbxUnreachable(_not_reached(error, cause, place, doing))
    if cause is Cause.GARBLED:
        return unreadable(place, doing, "its answer cannot be decoded", write=write)
    return PbxFateUnknown(_no_answer(place, doing, cause, write=write))


def unreadable(place: str, doing: str, what: str, *, write: bool, happened: bool = True) -> PbxError:
    """For an answer that is not one of the Open API. If a write may have happened all the same, its fate is not known."""
    if write and happened:
        return PbxFateUnknown(
            f"The PBX at {place} was asked to {doing}, but {what}. Whether it did is not known. "
            f"Look at what it lists before this is asked for again. ({PbxFateUnknown.code})"
        )
    return PbxBadAnswer(
        f"The PBX at {place} did not {doing}: {what}. Something else answers there, or a gateway cannot reach the PBX. "
        f"Check url in the configuration, and the gateway. ({PbxBadAnswer.code})"
    )


def refused(errcode: int, errmsg: str, doing: str) -> PbxRefused:
    """Our error for an errcode other than 0. Some firmware tells an old token only by its message."""
    told = words(errcode, errmsg, doing)
    if errcode == 10004 or "TOKEN EXPIRED" in errmsg.upper():
        return PbxTokenExpired(errcode, errmsg, told)
    return (PbxLimitReached if errcode == 60002 else PbxRefused)(errcode, errmsg, told)


def cause_of(error: BaseException) -> Cause:
    """The kind of this one error, without those inside it."""
    return next((CAUSES[kind] for kind in type(error).__mro__ if kind in CAUSES), Cause.VAGUE)


def _nested(error: BaseException) -> Iterator[BaseException]:
    """The error and all that are inside it: requests and urllib3 hand on the first one as an argument or as ``reason``."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]


def _not_reached(error: BaseException, cause: Cause, place: str, doing: str) -> str:
    why = _certificate_trouble(error) if cause is Cause.TLS else _WHY_NOT_REACHED[cause]
    return f"The PBX at {place} was not asked to {doing}: {why} Nothing was sent. ({PbxUnreachable.code}: {cause})"


def _certificate_trouble(error: BaseException) -> str:
    for each in _nested(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _CERTIFICATE_TROUBLE.get(
                getattr(each, "verify_code", 0),
                "no authority that this machine trusts has signed its certificate (on a new PBX it is self-signed). "
                "Set tls in the configuration to the authority's file, or pin the certificate.",
            )
        if shown := _SHOWN.search(str(each)):
            return (
                f"it shows another certificate than the pinned one, namely sha256:{shown[1]}. If somebody replaced it, "
                "compare it with what the PBX has and change tls in the configuration; if nobody did, somebody may listen in."
            )
    return "TLS could not be agreed on. Check that the port is the one for HTTPS."


def _no_answer(place: str, doing: str, cause: Cause, *, write: bool) -> str:
    what = "did not answer in time" if cause is Cause.TIMEOUT else "closed the connection before its answer was complete"
    then = "Whether it did is not known. Look at what it lists before this is asked for again."
    return (
        f"The PBX at {place} was asked to {doing} and {what}. "
        f"{then if write else 'Nothing was changed. Try again.'} ({PbxFateUnknown.code}: {cause})"
    )

"""A strict simulator of a Yeastar P-Series PBX: the documented endpoints, limits, tokens and error codes, over HTTPS.

Where the vendor's pages leave a question open, the module that answers it says which answer it takes.
"""

from bot.sandbox.pbx.answers import Refusal
from bot.sandbox.pbx.calls import PbxCall
from bot.sandbox.pbx.certificates import StoredCertificate
from bot.sandbox.pbx.dns import DnsZone
from bot.sandbox.pbx.simulator import PbxSimulator
from bot.sandbox.pbx.trouble import Trouble
from bot.sandbox.pbx.uploads import TemporaryFile

__all__ = ["DnsZone", "PbxCall", "PbxSimulator", "Refusal", "StoredCertificate", "TemporaryFile", "Trouble"]

"""What a request was made from: the files as they were uploaded, and the DNS credentials as they were typed.

They stay sealed in the vault until the request is decided, so that it can be changed without uploading anything again.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from bot.store.vault import Vault

#: The vault's name for typed DNS credentials.
TYPED_PARAMS = "typed"
_FILE = "file:"


def file_secret(file_id: str) -> str:
    return f"{_FILE}{file_id}"


def names(session: Session, vault: Vault, request: int) -> list[str]:
    return [name for name in vault.names(session, request) if name == TYPED_PARAMS or name.startswith(_FILE)]


def hand_on(session: Session, vault: Vault, source: int, draft: int, file_ids: Iterable[str]) -> None:
    """Give a draft these files of the request from which it was made; those that the vault does not have are left out."""
    for name in map(file_secret, file_ids):
        content = vault.take(session, source, name)
        if content is not None:
            vault.put(session, draft, name, content)

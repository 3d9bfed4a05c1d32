"""What a draft was made from."""

from sqlalchemy.orm import Session

from bot.store.vault import Vault
from bot.work.examine import TYPED_PARAMS


def forget_received(session: Session, vault: Vault, number: int) -> None:
    """It is not needed once the draft is asked for: what goes to the PBX is sealed on its own."""
    names = [name for name in vault.names(session, number) if name == TYPED_PARAMS or name.startswith("file:")]
    if names:
        vault.wipe(session, number, *names)

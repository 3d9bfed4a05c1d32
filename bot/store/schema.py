"""Whether a database's schema is the one that this version of the bot works on."""

from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.exceptions import StoreError
from bot.store.engine import MIGRATIONS, Store
from bot.store.errors import translated


def version_of(store: Store) -> str | None:
    """None for an empty database."""
    with translated(), store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def must_be_current(store: Store) -> None:
    """Raises StoreError, which says what to do, for a database of another version."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    expected, found = ScriptDirectory.from_config(config).get_current_head(), version_of(store)
    if found != expected:
        raise StoreError(
            f"This database has the schema {found or 'of no version'}, and this version of the bot works on {expected}. Run "
            "`pbx-cert-bot migrate`, or start the bot, which does the same; if the bot is older than the database, update it.",
            code="schema",
        )

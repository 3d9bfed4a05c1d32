"""Whether the database can be written: the only proof is to write."""

from sqlalchemy import delete

from bot.store.engine import Store
from bot.store.tables import MetaRow

#: Bytes that are written. A single row would fit into a page that is there already, and so say nothing of a full disk.
SIZE = 65_536
#: Seconds that it may wait for another writer.
WAIT = 5.0


def probe(store: Store) -> None:
    """Commit a row and its removal. Raises StoreUnavailable, StoreBusy or StoreClosed."""
    name = f"probe {store.owner}"
    with store.begin(WAIT) as session:
        session.merge(MetaRow(name=name, value=bytes(SIZE)))
    with store.begin(WAIT) as session:
        session.execute(delete(MetaRow).where(MetaRow.name.like("probe %")))  # also what a killed process left

"""Alembic's entry: runs on the engine that the bot hands over, or on ``sqlalchemy.url`` from the command line.

All of it is one transaction, so that a process killed in the middle leaves the schema as it was: the driver for SQLite begins
none by itself before a CREATE or DROP. Of several processes that start on one PostgreSQL database, one migrates and the others
wait for it.
"""

from alembic import context
from sqlalchemy import create_engine

from bot.store.engine import WRITERS
from bot.store.tables import Base

config = context.config
engine = config.attributes.get("engine") or create_engine(config.get_main_option("sqlalchemy.url") or "")

#: On PostgreSQL a line of the bot's has limits of time, which are for its daily work.
BEGIN = {
    "sqlite": ("BEGIN IMMEDIATE",),
    "postgresql": (
        "SET LOCAL lock_timeout = 0",
        "SET LOCAL statement_timeout = 0",
        f"SELECT pg_advisory_xact_lock({WRITERS})",
    ),
}

with engine.connect() as connection:
    for statement in BEGIN[engine.dialect.name]:
        connection.exec_driver_sql(statement)
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

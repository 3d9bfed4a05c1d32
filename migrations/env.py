"""Alembic's entry: runs on the engine that the bot hands over, or on ``sqlalchemy.url`` from the command line."""

from alembic import context
from sqlalchemy import create_engine

from bot.store.tables import Base

config = context.config
engine = config.attributes.get("engine") or create_engine(config.get_main_option("sqlalchemy.url") or "")

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

"""Rules kept with their request, versions of a request, seats of a vote, and which replica works by which configuration.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _new() -> list[sa.Column[object]]:
    return [
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("rule_now", sa.JSON(), nullable=True),
        sa.Column("edits", sa.Integer(), nullable=True),
        sa.Column("edits_version", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("names", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("reduced_at", sa.DateTime(timezone=True), nullable=True),
    ]


def upgrade() -> None:
    for column in _new():
        op.add_column("requests", column)
    op.create_index("ix_requests_requester", "requests", ["requester", "id"])
    op.create_index("ix_requests_pbx", "requests", ["pbx", "id"])
    op.create_index("ix_requests_key", "requests", ["key_id"])
    live = sa.text("ended_at IS NULL")
    op.create_index("ix_requests_live", "requests", ["decision", "id"], sqlite_where=live, postgresql_where=live)
    op.add_column("votes", sa.Column("seats", sa.JSON(), nullable=True))
    op.create_table(
        "versions",
        sa.Column("request", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ask", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["requests.id"]),
        sa.PrimaryKeyConstraint("request", "version"),
    )
    op.create_table(
        "replicas",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("reloaded", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )


def downgrade() -> None:
    op.drop_table("replicas")
    op.drop_table("versions")
    op.drop_column("votes", "seats")
    op.drop_index("ix_requests_live", "requests")
    op.drop_index("ix_requests_key", "requests")
    op.drop_index("ix_requests_pbx", "requests")
    op.drop_index("ix_requests_requester", "requests")
    for column in reversed(_new()):
        op.drop_column("requests", column.name)

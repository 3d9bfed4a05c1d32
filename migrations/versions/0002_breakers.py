"""Circuit breakers; messages that concern no single request, and several events told in one message.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = ("purpose", "channel", "ts", "shown", "intended_at")


def upgrade() -> None:
    op.create_table(
        "breakers",
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pbx"),
    )
    op.rename_table("posts", "old_posts")
    op.create_table(
        "posts",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("told_with", sa.Text(), nullable=False),
        *_kept(),
        sa.PrimaryKeyConstraint("about", "purpose"),
    )
    names = ", ".join(_COLUMNS)
    op.execute(
        f"INSERT INTO posts (about, told_with, {names}) SELECT CAST(request AS TEXT), purpose, {names} FROM old_posts"  # noqa: S608
    )
    op.drop_table("old_posts")


def downgrade() -> None:
    op.rename_table("posts", "new_posts")
    op.create_table(
        "posts",
        sa.Column("request", sa.Integer(), nullable=False),
        *_kept(),
        sa.ForeignKeyConstraint(["request"], ["requests.id"]),
        sa.PrimaryKeyConstraint("request", "purpose"),
    )
    names = ", ".join(_COLUMNS)
    op.execute(
        f"INSERT INTO posts (request, {names}) SELECT CAST(about AS INTEGER), {names} FROM new_posts "  # noqa: S608
        "WHERE about NOT LIKE 'event:%'"
    )
    op.drop_table("new_posts")
    op.drop_table("breakers")


def _kept() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
    )

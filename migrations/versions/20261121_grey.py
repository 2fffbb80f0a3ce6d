"""The grey-failure watcher: who watches an environment, and what is usual there.

Revision: 0005_grey, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.String(length=255)


def upgrade() -> None:
    op.create_table(
        "grey_watches",
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("environment", name=op.f("pk_grey_watches")),
    )
    op.create_table(
        "grey_baselines",
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("environment", "stream", name=op.f("pk_grey_baselines")),
    )


def downgrade() -> None:
    op.drop_table("grey_baselines")
    op.drop_table("grey_watches")

"""Limits that all replicas keep together.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_paces")),
    )


def downgrade() -> None:
    op.drop_table("paces")

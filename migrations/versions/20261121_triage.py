"""Triage: heads of incidents, lessons, learned calls, and when an alert flipped last.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.String(length=255)


def upgrade() -> None:
    with op.batch_alter_table("alerts") as batch:
        batch.add_column(sa.Column("flipped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "incident_heads",
        sa.Column("incident_id", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_heads_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_heads")),
    )
    op.create_index(op.f("ix_incident_heads_environment"), "incident_heads", ["environment"])
    op.create_table(
        "lessons",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("noise", sa.Boolean(), nullable=False),
        sa.Column("worst", sa.Integer(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
    )
    op.create_index(op.f("ix_lessons_environment_at"), "lessons", ["environment", "at"])
    op.create_table(
        "service_calls",
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("callee", TEXT, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("environment", "caller", "callee", name=op.f("pk_service_calls")),
    )


def downgrade() -> None:
    op.drop_table("service_calls")
    op.drop_table("lessons")
    op.drop_table("incident_heads")
    with op.batch_alter_table("alerts") as batch:
        batch.drop_column("flipped_at")

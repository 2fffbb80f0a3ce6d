"""Signals: an inbox, dead letters, alerts that make up incidents, and where services are told.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.String(length=255)


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("key", name=op.f("uq_inbox_key")),
    )
    op.create_index(op.f("ix_inbox_done_at_id"), "inbox", ["done_at", "id"])
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    with op.batch_alter_table("incidents") as batch:
        batch.alter_column("thread_ts", existing_type=TEXT, nullable=True)
        batch.add_column(sa.Column("origin", TEXT, nullable=False, server_default=""))
        batch.add_column(sa.Column("severity", sa.Integer(), nullable=False, server_default="2"))
        batch.add_column(sa.Column("service", TEXT, nullable=False, server_default=""))
        batch.add_column(sa.Column("quiet", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("alerts", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("shown", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("began_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_index(op.f("ix_incidents_state_opened_at"), ["state", "opened_at"])
    op.create_table(
        "alerts",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("incident_id", TEXT, nullable=True),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("flips", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_incident_id"), "alerts", ["incident_id"])
    op.create_index(op.f("ix_alerts_firing_last_at"), "alerts", ["firing", "last_at"])
    op.create_table(
        "routes",
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("environment", "service", name=op.f("pk_routes")),
    )


def downgrade() -> None:
    op.drop_table("routes")
    op.drop_table("alerts")
    op.execute("UPDATE incidents SET thread_ts = id WHERE thread_ts IS NULL")
    with op.batch_alter_table("incidents") as batch:
        batch.drop_index(op.f("ix_incidents_state_opened_at"))
        for name in (
            "escalated_at", "acknowledged_at", "began_at", "shown", "version", "alerts", "quiet",
            "service", "severity", "origin",
        ):  # fmt: skip
            batch.drop_column(name)
        batch.alter_column("thread_ts", existing_type=TEXT, nullable=False)
    op.drop_table("dead_letters")
    op.drop_table("inbox")

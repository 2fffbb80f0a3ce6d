"""Nezha, Train-Ticket: faults with metrics, logs and traces (ESEC/FSE 2023)."""

"""Turns needs into facts: asks the read tools in parallel, under limits, into a Snapshot."""

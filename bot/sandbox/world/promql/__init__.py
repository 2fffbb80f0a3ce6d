"""A subset of PromQL over the simulated series, with Prometheus' own semantics."""

"""Metrics, alerts and objectives of Prometheus or VictoriaMetrics."""

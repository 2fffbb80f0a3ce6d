"""The metrics of the shop as Prometheus would have scraped them, one module per exporter."""

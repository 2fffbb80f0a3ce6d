"""RootCauseBench: change incidents with innocent decoys (EdgeDelta, Apache-2.0)."""

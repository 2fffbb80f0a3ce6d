"""Cloud-OpsBench: Kubernetes faults, frozen as kubectl text (arXiv 2603.00468)."""

"""What every Kubernetes action must keep, on whichever cluster: cases, clusters and the suite."""

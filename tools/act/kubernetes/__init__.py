"""What can be done to objects of the Kubernetes API."""

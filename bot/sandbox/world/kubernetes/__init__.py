"""The Kubernetes API over the simulated clusters: the subset that an SRE and the bot use."""

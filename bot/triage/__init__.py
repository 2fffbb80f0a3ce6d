"""Which signals are one incident, how bad it is, and whether to speak."""

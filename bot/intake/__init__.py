"""The HTTP door: what monitoring systems send, verified, parsed and stored before the answer."""

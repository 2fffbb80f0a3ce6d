"""Many days of the shop with trouble that no health check sees, as its monitoring counts them."""

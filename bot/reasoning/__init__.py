"""Facts to a ranked diagnosis: the round loop, ranking, and one pure analyzer per module."""

"""From a diagnosis to a verified action: proposal, ruling, decision, execution, undo."""

"""Loghub: labelled logs of real systems; how well their lines are grouped, and how fast."""

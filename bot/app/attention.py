"""Keeps the process attentive: what computes or cleans up holds up the event loop but little."""

import gc
import sys

SWITCH_S = 0.001  # threads that compute let the loop in after that; each call of it may wait so
THRESHOLDS = (20_000, 20, 10)  # objects; rounds of the young; rounds of the middle-aged


def attend() -> None:
    """Let threads take turns quickly. First of all, in the process that serves."""
    sys.setswitchinterval(SWITCH_S)


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's rounds. Once all is put together.

    A round that looks at everything holds all threads for a fifth of a second, and finds modules.
    Source: the Python manual on `gc.freeze`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

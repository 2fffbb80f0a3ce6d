"""What the pictures have in common: paper and ink, letters, and round values on an axis."""

import math

from PIL import ImageFont

SCALE = 2  # drawn twice as large and shrunk: smooth lines
Colour = tuple[int, int, int]
PAPER: Colour = (255, 255, 255)
INK: Colour = (29, 28, 29)
FAINT: Colour = (222, 222, 222)
GREY: Colour = (97, 96, 97)
BLUE: Colour = (18, 100, 163)
RED: Colour = (200, 30, 40)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the letters of a height in pixels of the finished picture."""
    return ImageFont.load_default(size=size * SCALE)


def ticks(low: float, high: float) -> list[float]:
    """Return three to six round values between low and high, which differ."""
    rough = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]

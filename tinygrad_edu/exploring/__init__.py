"""``explore``: a function as a page on which the reader moves its numbers, and results follow."""

from tinygrad_edu.exploring.controls import Pixels, Points, Slider
from tinygrad_edu.exploring.explore import Exploration, explore
from tinygrad_edu.exploring.plots import Bars, Curve, Dots, Image, Plot

__all__ = [
    "Bars",
    "Curve",
    "Dots",
    "Exploration",
    "Image",
    "Pixels",
    "Plot",
    "Points",
    "Slider",
    "explore",
]

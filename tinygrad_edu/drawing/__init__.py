"""A computation graph as a picture, as a tree of text, and as a page that steps through it."""

from tinygrad_edu.drawing.narration import Derivation, Step
from tinygrad_edu.drawing.picture import Drawing
from tinygrad_edu.drawing.render import use_renderer
from tinygrad_edu.drawing.steps import Steps, steps
from tinygrad_edu.drawing.view import draw

__all__ = ["Derivation", "Drawing", "Step", "Steps", "draw", "steps", "use_renderer"]

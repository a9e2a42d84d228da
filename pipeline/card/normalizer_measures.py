"""What another normalizer changes, as a number on the card."""

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown


class NormalizerChange(Number):
    """A conclusion that another normalizer (the key's) changes, with the number behind it under either."""

    measure: Shown
    conclusion: Shown
    conclusion_main: Shown
    value: Rate
    value_main: Rate

"""What the tests of validity print: with ``-s`` each simulated figure beside what it is held against."""

from collections.abc import Callable, Sequence

import pytest
from simulations.figure import Figure


@pytest.fixture
def show() -> Callable[[Sequence[Figure]], Sequence[Figure]]:
    """Return a printer of figures that gives them back."""

    def printed(figures: Sequence[Figure]) -> Sequence[Figure]:
        for one in figures:
            print(f"\n{one.study}, {one.design}, {one.measure}: {one.value:.3f} (SE {one.standard_error:.3f})")
        return figures

    return printed

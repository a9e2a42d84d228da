"""Names of groups and conditions in the page's data and links: visible, and no two of them the same."""

from collections.abc import Mapping
from functools import lru_cache

from pipeline.card.wording import visible


@lru_cache(maxsize=16)  # asked for every cell of a page
def shown_names(labels: tuple[str, ...]) -> Mapping[str, str]:
    """Return each label as the page's data and links name it.

    Two labels may look the same (``"a  b"``, ``"a b"``), and a link must still lead to the one that it stands for: the
    later of them has a number after it.
    """
    names: dict[str, str] = {}
    taken = set[str]()
    for label in labels:
        name = seen = visible(label)
        number = 1
        while name in taken:
            number += 1
            name = f"{seen} ({number})"
        taken.add(name)
        names[label] = name
    return names

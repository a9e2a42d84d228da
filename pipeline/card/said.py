"""What was said and heard in one scored trial, word by word, where the words are those that were counted."""

from typing import NamedTuple

from pipeline.word_edits import word_edits

Counts = tuple[int, int, int, int]
"""Substitutions, deletions, insertions, words of the reference."""
WordEdit = tuple[str, int, str]
"""Kind (replace, delete or insert), place in the reference, word of the hypothesis (empty where deleted)."""


class Said(NamedTuple):
    """One scored trial: normalized texts, words between spaces, and what was counted of them."""

    reference: str
    hypothesis: str
    substitutions: int
    deletions: int
    insertions: int
    hits: int

    @property
    def counts(self) -> Counts:
        """What is shown where words are not."""
        return self.substitutions, self.deletions, self.insertions, self.hits + self.substitutions + self.deletions

    @property
    def longest_words(self) -> int:
        """Words of the longer of both texts."""
        return self.hits + self.substitutions + max(self.deletions, self.insertions)

    def edits(self) -> list[WordEdit] | None:
        """Return what makes the hypothesis of the reference; None where that is not what was counted.

        A run of another version may have counted by another alignment, and what is told must add up to the counts.
        """
        if not any(self.counts[:3]):
            return []
        words = self.hypothesis.split()
        found = word_edits(self.reference.split(), words)
        kinds = [kind for kind, _, _ in found]
        if (kinds.count("replace"), kinds.count("delete"), kinds.count("insert")) != self.counts[:3]:
            return None
        return [(kind, at, "" if kind == "delete" else words[heard_at]) for kind, at, heard_at in found]

"""Where the errors of many alignments lie: a run of numbers a row, all of them in one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # processes that only align need not load it
    import pandas as pd

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSlots:
    """The slots of every row, in order.

    2 i + 1 is a wrong or missing reference word i, counted from 0; 2 i is a word inserted before it (after the last one
    where i is their number). ``counts`` has shape (rows,), errors of each; ``slots`` shape (errors,), row after row.
    """

    counts: IntArray
    slots: IntArray

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all parts."""
        none = np.zeros(0, dtype=np.int64)
        return cls(*(np.concatenate([none, *(getattr(part, name) for part in parts)]) for name in ("counts", "slots")))

    @classmethod
    def read(cls, column: "pd.Series[str]") -> Self:
        """Read what ``column`` wrote."""
        import pyarrow as pa
        import pyarrow.compute as pc

        text = pa.array(column, type=pa.large_string())
        if isinstance(text, pa.ChunkedArray):  # of a column in several pieces
            text = text.combine_chunks()
        runs = pc.split_pattern(text, " ")
        words = runs.flatten()
        empty = np.asarray(pc.equal(text, ""), dtype=bool)  # split into one empty word
        counts = np.where(empty, 0, np.asarray(pc.list_value_length(runs))).astype(np.int64)
        slots = words.filter(pc.not_equal(words, "")).cast(pa.int64())
        return cls(counts, np.asarray(slots, dtype=np.int64))

    def column(self) -> "pd.Series[str]":
        """Return a text a row: its slots with a space between them, nothing where there is no error."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.counts)])
        runs = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(self.slots).cast(pa.large_string()))
        return pd.Series(pd.array(pc.binary_join(runs, pa.scalar(" ", pa.large_string())), dtype="str"))

    def take(self, rows: NDArray[np.integer]) -> Self:
        """Return the rows at these places, in this order, some of them maybe several times."""
        counts = self.counts[rows]
        begins, ends = (np.cumsum(self.counts) - self.counts)[rows], np.cumsum(counts)
        at = np.repeat(begins - (ends - counts), counts) + np.arange(int(counts.sum()))
        return type(self)(counts, self.slots[at])

    @property
    def rows(self) -> IntArray:
        """The row of each error, shape (errors,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def longest_insertions(self) -> IntArray:
        """Return the words of the longest run of inserted words of each row, shape (rows,)."""
        # slots of a row never fall, and words inserted at one place lie in one slot, an even one
        rows = self.rows
        begins = np.ones(len(self.slots), dtype=bool)
        begins[1:] = (self.slots[1:] != self.slots[:-1]) | (rows[1:] != rows[:-1])
        lengths = np.diff(np.append(np.flatnonzero(begins), len(self.slots)))
        longest = np.zeros(len(self.counts), dtype=np.int64)
        np.maximum.at(longest, rows[begins], np.where(self.slots[begins] % 2 == 0, lengths, 0))
        return longest

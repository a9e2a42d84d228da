"""Corpus to utterances, and what their recordings were like.

In: a corpus. Out: Utterances and Acoustics. Excludes: what the corpus could not read (missing or undecodable audio,
empty references, duplicate ids, unknown accents), as ``corpus.on_bad_row`` says.
"""

import logging

import pandas as pd

from pipeline import tables
from pipeline.corpora import acoustics
from pipeline.corpora.base import Corpus
from pipeline.errors import ManifestError, first_five
from pipeline.progress import track
from pipeline.records import Exclusion

NAME = "load_utterances"
logger = logging.getLogger(__name__)


def load_utterances(corpus: Corpus) -> tuple[pd.DataFrame, list[Exclusion], int]:
    """Return the checked utterances sorted by id, what was excluded, and how many rows the corpus holds.

    Raises:
        ManifestError: if nothing is left to study, or an accent is called like the pooled rows.
    """
    loaded = corpus.load()
    utterances = tables.check(loaded.utterances, tables.Utterances, where=NAME)
    if utterances.empty:
        reasons = first_five(f"{lost.utterance_id}: {lost.reason} ({lost.detail})" for lost in loaded.exclusions)
        raise ManifestError(
            f"corpus '{corpus.name}': none of its {loaded.rows} rows can be used: {reasons or 'it is empty'}. "
            "Mend the manifest or its settings; conf/README.md says what a row needs."
        )
    if (utterances["accent"] == tables.POOLED).any():
        raise ManifestError(
            f"corpus '{corpus.name}': an accent is called '{tables.POOLED}', which names the rows that pool all "
            "accents. Rename it in the manifest."
        )
    ordered = utterances.sort_values("utterance_id", kind="stable").reset_index(drop=True)
    return ordered, loaded.exclusions, loaded.rows


def measure_recordings(utterances: pd.DataFrame, corpus: Corpus, *, workers: int) -> pd.DataFrame:
    """Return what each recording was like as it came: a row for every utterance, whatever could be measured.

    Of a corpus without audio there is no recording, and no row.
    """
    if not corpus.has_audio:
        return tables.build([], tables.Acoustics, where=NAME)
    with track("measuring recordings", len(utterances), logger) as advance:
        return acoustics.measure(utterances, corpus.audio_path, workers=workers, advance=advance)

"""What a run looks for in single words, as its statistics ask: invented text, key terms, tagged words.

Nothing is read, aligned or searched that the study does not ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import tables
from pipeline.artifacts import file_sha256
from pipeline.corpora.word_files import (
    Phrases,
    TaggedWord,
    Terms,
    Verdict,
    read_phrases,
    read_tags,
    read_terms,
    read_verdicts,
)
from pipeline.execution import Run
from pipeline.provenance import INPUT
from pipeline.screening_tables import Candidates
from pipeline.stages.attribute_tags import attribute_tags
from pipeline.stages.find_terms import find_terms
from pipeline.stages.screen_hypotheses import NAME, Heard, screen
from pipeline.stages.summarize import Words
from pipeline.stats.settings import StatsSettings
from pipeline.stats.variability import RepeatedTrial


@dataclass(frozen=True)
class WordLists:
    """The files of words that the statistics name, read; None or empty where none is named."""

    phrases: Phrases | None
    verdicts: Sequence[Verdict]
    terms: Terms | None
    tagged: Sequence[TaggedWord] | None


def read_lists(settings: StatsSettings) -> WordLists:
    """Read every file of words that the statistics name.

    Raises:
        StudyError: for the first that cannot be used.
    """
    screening = settings.hallucination
    phrases = screening.phrases if screening else None
    reviewed = screening.reviewed if screening else None
    return WordLists(
        phrases=read_phrases(Path(phrases) if phrases else None) if screening else None,
        verdicts=read_verdicts(Path(reviewed)) if reviewed else (),
        terms=read_terms(Path(settings.terms)) if settings.terms else None,
        tagged=read_tags(Path(settings.tags)) if settings.tags else None,
    )


def search_words(this: Run, repeated: Sequence[RepeatedTrial]) -> Words:
    """Look for what the study's statistics ask for, and note the files that say what that is."""
    settings, lists = this.study.stats, read_lists(this.study.stats)
    this.hashes |= {f"{INPUT}{name}": file_sha256(path) for name, path in settings.inputs().items()}
    scores, normalizers = this.table("scores"), this.study.normalizers
    signs, candidates = None, tables.build([], Candidates, where=NAME)
    if settings.hallucination is not None and lists.phrases is not None:
        signs, candidates = screen(_heard(this, repeated), settings.hallucination, lists.phrases, lists.verdicts)
    return Words(
        nonspeech=this.table("nonspeech"),
        signs=signs,
        candidates=candidates,
        terms=find_terms(scores, lists.terms, normalizers) if lists.terms is not None else None,
        tagged=attribute_tags(scores, this.table("utterances"), lists.tagged, normalizers)
        if lists.tagged is not None
        else None,
    )


def _heard(this: Run, repeated: Sequence[RepeatedTrial]) -> Heard:
    utterances = this.table("utterances")
    synthetic = utterances["synthetic"]
    return Heard(
        utterances=utterances,
        trials=this.table("trials"),
        transcripts=this.table("transcripts"),
        nonspeech=this.table("nonspeech"),
        scores=this.table("scores"),
        repeated=repeated,
        normalizers=this.study.normalizers,
        # a machine's speech has nobody's words in it
        may_show_text=this.study.corpus.record().redistribute_text or (len(synthetic) > 0 and bool(synthetic.all())),
        synthetic=bool(synthetic.any()),
    )

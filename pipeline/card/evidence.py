"""All numbers of the card, looked up by key, and the phrases that every section builds its sentences from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.card import (
    audit_numbers,
    confidence,
    confusions,
    content_numbers,
    could_show,
    declared,
    derived,
    figure_numbers,
    invented,
    rankings,
    sound,
    transcribed,
    words_found,
)
from pipeline.card.keys import Key
from pipeline.card.measures import Cell, CellRates, Disparity, Interaction, Numbers
from pipeline.card.model import Fact, Row, Table
from pipeline.card.publication import rounded_words
from pipeline.card.standing_measures import Standing
from pipeline.card.view import CardInput, View, look
from pipeline.card.wording import (
    NOT_EVALUATED,
    SYNTHETIC,
    between,
    label,
    percent,
    support,
)
from pipeline.records import Support, significance_level
from pipeline.tables import POOLED

ALL_ACCENTS = "all accents pooled"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a section may draw on."""

    view: View
    numbers: Numbers

    @cached_property
    def _cells(self) -> dict[Key, Cell]:
        return {cell.key: cell for cell in self.numbers.cells}

    @cached_property
    def _disparities(self) -> dict[tuple[Key, str], Disparity]:
        return {(item.key, item.statistic): item for item in self.numbers.disparities}

    @cached_property
    def _interactions(self) -> dict[Key, Interaction]:
        return {item.key: item for item in self.numbers.interactions}

    @cached_property
    def _standings(self) -> dict[Key, Standing]:
        return {item.key: item for item in self.numbers.standings}

    @property
    def level(self) -> str:
        """The confidence level in words, as in ``95%``."""
        return f"{100 * self.numbers.rules.confidence:g}%"

    @property
    def alpha(self) -> float:
        """A p-value below this counts as shown: one minus the confidence level."""
        return significance_level(self.numbers.rules.confidence)

    @property
    def measured(self) -> bool:
        """Whether anything was scored at all."""
        return any(cell.wer is not None for cell in self.numbers.cells)

    def cell(self, accent: str, condition: str, normalizer: str | None = None) -> Cell | None:
        """Return one cell; the main normalizer's unless told."""
        return self._cells.get(self.view.key(accent=accent, condition=condition, normalizer=normalizer))

    @cached_property
    def _rates(self) -> dict[Key, CellRates]:
        return {item.key: item for item in self.numbers.rates}

    def rates(self, accent: str, condition: str) -> CellRates | None:
        """Return the rates of one cell under the main normalizer."""
        return self._rates.get(self.view.key(accent=accent, condition=condition))

    def ranked(self, condition: str) -> list[Cell]:
        """Return the cells that may be called best or worst under ``condition``, lowest WER first."""
        cells = [self.cell(accent, condition) for accent in self.view.accents]
        chosen = [cell for cell in cells if cell is not None and cell.ranked and cell.wer is not None]
        return sorted(chosen, key=lambda cell: (cell.wer or 0.0, cell.key.accent))

    def disparity(self, statistic: str, condition: str, accent: str = "") -> Disparity | None:
        """Return one disparity under the main normalizer."""
        return self._disparities.get((self.view.key(accent=accent, condition=condition), statistic))

    def interaction(self, accent: str, condition: str) -> Interaction | None:
        """Return one interaction row under the main normalizer; an omnibus row where ``accent`` is empty."""
        return self._interactions.get(self.view.key(accent=accent, condition=condition))

    def standing(self, accent: str, condition: str) -> Standing | None:
        """Return where one accent stands under one condition, under the main normalizer."""
        return self._standings.get(self.view.key(accent=accent, condition=condition))

    def stands_on(self, n_speakers: int, n_words: int) -> str:
        """Return the speakers and words behind a number, in words."""
        return support(n_speakers, self.words(n_words), speakers_known=self.view.speakers_known)

    def words(self, number: int) -> int:
        """Return a count of words or of errors in them as it may be published."""
        return rounded_words(number) if self.numbers.publication.rounded else number

    def in_words(self, cell: Cell) -> str:
        """Return a cell as ``31.0% (24.2 to 39.8; 6 speakers, 1,204 words)``."""
        interval = interval_of(cell).strip("()")
        behind = self.stands_on(cell.n_speakers, cell.n_ref_words)
        return f"{percent(cell.wer)} ({f'{interval}; ' if interval else ''}{behind})"

    def table(self, caption: str, columns: Sequence[str], rows: Sequence[Row]) -> Table:
        """Return a table whose caption says so when the speech is synthetic, or nobody stated the labels."""
        flag = f"; {SYNTHETIC}" if self.view.synthetic else ""
        flag += f"; group labels {self.view.unstated}, stated by nobody" if self.view.unstated else ""
        return Table(caption=caption + flag, columns=list(columns), rows=list(rows))


def interval_of(cell: Cell) -> str:
    """Return the interval of a cell's WER in words; a bound where no error was counted; empty where there is none."""
    if cell.support == Support.ZERO_ERRORS and cell.ci_high is not None:
        return f"(at most {percent(cell.ci_high)})"
    return between(cell.ci_low, cell.ci_high)


def accent_name(accent: str) -> str:
    """Return an accent as a reader sees it."""
    return ALL_ACCENTS if accent == POOLED else label(accent)


def fact(name: str, value: str | None, key: Key | None = None) -> Fact:
    """Return a named value, ``not evaluated`` where there is none."""
    return Fact(label=name, value=value or NOT_EVALUATED, key=key or Key())


def gather(source: CardInput) -> Evidence:
    """Compute every number of the card from the tables of one run."""
    view = look(source)
    cells = transcribed.cells(view)
    sounds, formats = sound.sounds(view), sound.formats(view)
    numbers = Numbers(
        rules=view.rules,
        corpus=transcribed.corpus(view),
        speed=transcribed.speed(view),
        cells=cells,
        rates=transcribed.rates(view),
        disparities=transcribed.disparities(view, cells),
        interactions=transcribed.interactions(view, cells),
        variability=transcribed.variability(view),
        regressions=transcribed.regressions(view),
        standings=transcribed.standings(view),
        detectable=could_show.detectable(view),
        snr_shifts=could_show.snr_shifts(view),
        hallucinations=words_found.hallucinations(view),
        terms=words_found.terms(view),
        tag_errors=words_found.tag_errors(view),
        coverage=derived.coverage(view, cells),
        floors=rankings.floors(view, cells),
        sensitivity=rankings.sensitivity(view, cells),
        normalizer_changes=rankings.normalizer_changes(view),
        degradation=derived.degradation(view),
        worst_case=derived.worst_case(view),
        speaker_medians=derived.speaker_medians(view),
        delivered=derived.delivered(view),
        sounds=sounds,
        sound_formats=formats,
        starting_points=sound.starting_points(sounds, formats),
        invented=invented.invented(view),
        invented_texts=invented.invented_texts(view),
        dropped=transcribed.dropped(view),
        unheard=transcribed.unheard(view),
        worst_utterances=derived.worst_utterances(view),
        same_utterances=content_numbers.same_utterances(view),
        adjusted_gaps=content_numbers.adjusted_gaps(view),
        intersections=declared.intersections(view),
        publication=source.publication,
        analysis=declared.analysis(view),
        data_associations=audit_numbers.associations(view),
        data_texts=audit_numbers.texts(view),
        data_cells=audit_numbers.cells(view),
        data_duplicates=audit_numbers.duplicates(view),
        speakers=figure_numbers.speakers(view),
        rungs=figure_numbers.rungs(view),
        confusions=confusions.confusions(view),
        confidence=confidence.confidence(view),
    )
    return Evidence(view=view, numbers=numbers)

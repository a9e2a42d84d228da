"""Numbers that a stage has already measured, copied from its table beside their keys."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from pipeline.card.keys import Key
from pipeline.card.measures import Cell, CellRates, Corpus, Disparity, Dropped, Interaction, Speed, Unheard
from pipeline.card.regression_measures import Regression
from pipeline.card.repeat_measures import Variability
from pipeline.card.standing_measures import Standing
from pipeline.card.view import View
from pipeline.records import Status, Support
from pipeline.tables import POOLED

KEY_COLUMNS = ("accent", "condition", "backend", "normalizer")
NULL = "naive value over the ranked groups; null_mean and null_p95 by permuting {unit}s over groups"
STATISTIC_METHODS = {
    "gap_max_min": f"highest minus lowest WER; {NULL}",
    "ratio_max_min": f"highest divided by lowest WER; {NULL}",
    "gap_to_reference": "WER minus that of the reference accent",
    "ratio_to_reference": "WER divided by that of the reference accent",
    "gap_to_rest": "WER minus that of all other groups",
    "ratio_to_rest": "WER divided by that of all other groups",
    "omnibus_q": "Q over all ranked groups; p by permuting {unit}s over groups",
    "between_accent_sd": "SD of log WER between groups: posterior median and interval of a normal-normal model",
    "model_gap": "highest minus lowest WER: posterior median and interval of a normal-normal model on log WER",
    "model_ratio": "highest divided by lowest WER: posterior median and interval of a normal-normal model on log WER",
    "model_gap_above": "posterior probability that the gap exceeds stats.material_gap_points",
    "paule_mandel": "SD of log WER between groups by Paule and Mandel, Q-profile interval",
    "gini": f"Gini over groups, each once; {NULL}",
    "theil": f"Theil over groups, each once; {NULL}",
    "all_within_margin": "value: the margin; p: the largest of the groups' two one-sided tests",
    "some_worse_than_margin": "value: the margin; p: the smallest after Holm of 'the ratio is at most the margin'",
    "faas": "FAAS, for comparison with studies that report it; its faults are in the note",
}
INTERACTION_METHOD = (
    "paired log ratio per speaker against the other groups (ratio: disproportionate harm) and the same in WER "
    "(extra_points: user impact); p by permuting speakers, max-T over all accent x condition cells; detectable_ratio: "
    "shown with power .8 at that critical value, given the observed scatter of these speakers"
)
STANDING_METHOD = (
    "shrunken WER, p_worst, p_best: normal-normal model on log WER; ratio: leave-one-speaker-out jackknife of its log, "
    "Welch t, interval at 1 - 2 equivalence_level; verdict by inclusion of that interval in the margin"
)
VARIABILITY_METHOD = (
    "word errors between two repeats of a trial, each as the other's reference in turn, over the words of the repeats; "
    "summed over every pair of up to eleven repeats, of more over each and the next five"
)

REGRESSION_METHOD = (
    "Poisson mixed model of errors per speaker and condition, accent x condition with speaker and speaker-in-condition "
    "effects, offset log words; Wald t intervals; a confirmation, p-values are those of the permutation test"
)


def cells(view: View) -> list[Cell]:
    """Return every cell of this backend, all normalizers, pooled rows last."""
    table = view.source.cells
    chosen = [row for row in _rows(table) if row["backend"] == view.backend]
    return sorted((_cell(row, view.rules.confidence) for row in chosen), key=lambda cell: _order(view, cell.key))


def _cell(row: Mapping[str, Any], confidence: float) -> Cell:
    interval = _interval("WER", row, confidence)
    if row["support"] == Support.ZERO_ERRORS:
        interval = "no errors: no interval of log WER; ci_high, where there is one, is a one-sided upper bound"
    method = f"sum of errors over sum of reference words; {interval}"
    return Cell.model_validate(_fields(row) | {"method": method})


RATES_METHOD = (
    "ratios of sums over the cell; precision H / (H + S + I), recall H / (H + S + D), MER = errors / (H + errors), "
    "WIL = 1 - precision x recall; CER counts characters of the normalized text, spaces between words included; "
    "capped_wer counts no utterance above 1; no intervals"
)


def rates(view: View) -> list[CellRates]:
    """Return every row of rates of this backend, in the order of the cells."""
    chosen = [row for row in _rows(view.source.rates) if row["backend"] == view.backend]
    found = [CellRates.model_validate(_fields(row) | {"method": RATES_METHOD}) for row in chosen]
    return sorted(found, key=lambda item: _order(view, item.key))


def disparities(view: View, cells: list[Cell]) -> list[Disparity]:
    """Return every disparity of this backend with the speakers and words of its accent, or of all ranked accents."""
    measured = {cell.key: cell for cell in cells}
    unit = "speaker" if view.speakers_known else "utterance"
    found = []
    for row in _rows(view.source.disparities):
        if row["backend"] != view.backend:
            continue
        fields = _fields(row)
        behind = _behind(measured.get(fields["key"])) if row["accent"] else _ranked(measured.values(), fields["key"])
        method = STATISTIC_METHODS.get(row["statistic"], row["statistic"]).format(unit=unit)
        found.append(Disparity.model_validate(fields | behind | {"method": method}))
    return sorted(found, key=lambda item: (_order(view, item.key), item.statistic))


def interactions(view: View, cells: list[Cell]) -> list[Interaction]:
    """Return every interaction row of this backend, omnibus rows among them, with the words of its cell."""
    measured = {cell.key: cell for cell in cells}
    found = []
    for row in _rows(view.source.interactions):
        if row["backend"] != view.backend:
            continue
        fields = _fields(row)
        cell = measured.get(fields["key"].model_copy(update={"accent": row["accent"] or POOLED}))
        words = {"n_ref_words": _behind(cell)["n_ref_words"], "method": INTERACTION_METHOD}
        found.append(Interaction.model_validate(fields | words))
    return sorted(found, key=lambda item: _order(view, item.key))


def variability(view: View) -> list[Variability]:
    """Return every row on repeated transcripts of this backend, in the order of the cells."""
    found = []
    for row in _rows(view.source.variability):
        if row["backend"] == view.backend:
            method = f"{VARIABILITY_METHOD}; {_interval('disagreement', row, view.rules.confidence)}"
            found.append(Variability.model_validate(_fields(row) | {"method": method}))
    return sorted(found, key=lambda item: (_order(view, item.key), item.temperature))


def regressions(view: View) -> list[Regression]:
    """Return every row of the mixed models of this backend, in the order of the cells."""
    rows = [_fields(row) for row in _rows(view.source.regressions) if row["backend"] == view.backend]
    found = [Regression.model_validate(row | {"method": REGRESSION_METHOD}) for row in rows]
    return sorted(found, key=lambda item: _order(view, item.key))


def standings(view: View) -> list[Standing]:
    """Return where each group of this backend stands, in the order of the cells."""
    found = []
    for row in _rows(view.source.standings):
        if row["backend"] == view.backend:
            found.append(Standing.model_validate(_fields(row) | {"method": STANDING_METHOD}))
    return sorted(found, key=lambda item: _order(view, item.key))


def _interval(of: str, row: Mapping[str, Any], confidence: float) -> str:
    if pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return f"no interval: {row['support']}"
    level, unit = f"{100 * confidence:g}%", row["unit"]
    return f"{level} interval of log {of}, leave-one-{unit}-out jackknife, t with effective-{unit} df"


def dropped(view: View) -> list[Dropped]:
    """Count the exclusions by stage, reason, condition and, where the utterance is known, accent."""
    accents = view.source.utterances.set_index("utterance_id")["accent"].to_dict()
    table = view.source.exclusions
    known = table.assign(accent=[accents.get(utterance, "") for utterance in table["utterance_id"]])
    groups = _sizes(known, ["stage", "reason", "accent", "condition"])
    return [
        Dropped(
            key=Key(accent=row["accent"], condition=row["condition"]),
            method="rows in the exclusions table",
            stage=row["stage"],
            reason=row["reason"],
            rows=row["rows"],
        )
        for row in groups
    ]


def unheard(view: View) -> list[Unheard]:
    """Count the transcripts that are not there, by accent and condition."""
    table = view.source.transcripts
    missing = table[(table["backend"] == view.backend) & (table["status"] != Status.OK)]
    placed = missing.merge(_placed_trials(view), on="trial_key", how="inner")
    groups = _sizes(placed, ["accent", "condition", "status"])
    method = "missing: counted as all deletions; failed: excluded"
    return [
        Unheard(
            key=view.key(accent=row["accent"], condition=row["condition"], normalizer=""),
            method=method,
            status=row["status"],
            rows=row["rows"],
        )
        for row in groups
    ]


def speed(view: View) -> Speed | None:
    """Return seconds of audio per second of decoding, over the transcripts that say how long they took."""
    table = view.source.transcripts
    timed = table[(table["backend"] == view.backend) & table["decode_s"].notna()]
    placed = timed.merge(_placed_trials(view), on="trial_key", how="inner")
    decode_s, audio_s = float(placed["decode_s"].sum()), float(placed["duration_s"].sum())
    if decode_s <= 0:
        return None
    return Speed(
        key=view.key(normalizer=""),
        method="seconds of audio over seconds of decoding, as first transcribed",
        n_trials=len(placed),
        audio_s=audio_s,
        decode_s=decode_s,
        rtfx=audio_s / decode_s,
    )


def corpus(view: View) -> Corpus:
    """Return how much was loaded: people, utterances, scored reference words (once each) and hours."""
    table = view.source.utterances
    words = view.scores.groupby("utterance_id")["ref_words"].first()
    return Corpus(
        key=Key(normalizer=view.main),
        method="loaded utterances; reference words of those scored under at least one condition, once each",
        n_speakers=len(table.loc[table["speaker_id"].notna(), ["accent", "speaker_id"]].drop_duplicates()),
        n_utterances=len(table),
        n_ref_words=int(words.sum()),
        hours=float(table["duration_s"].sum()) / 3600 if view.has_audio else None,
        n_speakers_missing=int(table["speaker_id"].isna().sum()),
    )


def _placed_trials(view: View) -> pd.DataFrame:
    utterances = view.source.utterances[["utterance_id", "accent", "duration_s"]]
    return view.source.trials[["trial_key", "utterance_id", "condition"]].merge(utterances, on="utterance_id")


def _sizes(table: pd.DataFrame, by: list[str]) -> list[dict[str, Any]]:
    return _rows(table.groupby(by, sort=True).size().reset_index(name="rows"))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    key = Key(**{name: row[name] for name in KEY_COLUMNS if name in row})
    return {"key": key} | {name: value for name, value in row.items() if name not in KEY_COLUMNS}


def _behind(cell: Cell | None) -> dict[str, int]:
    if cell is None:
        return {"n_speakers": 0, "n_ref_words": 0}
    return {"n_speakers": cell.n_speakers, "n_ref_words": cell.n_ref_words}


def _ranked(cells: Iterable[Cell], key: Key) -> dict[str, int]:
    chosen = [
        c for c in cells if c.ranked and c.key.accent != POOLED and c.key.model_copy(update={"accent": ""}) == key
    ]
    return {"n_speakers": sum(c.n_speakers for c in chosen), "n_ref_words": sum(c.n_ref_words for c in chosen)}


def _order(view: View, key: Key) -> tuple[int, int, int, str]:
    normalizer = 0 if key.normalizer == view.main else 1
    condition = view.conditions.index(key.condition) if key.condition in view.conditions else len(view.conditions)
    accent = view.accents.index(key.accent) if key.accent in view.accents else len(view.accents)
    return (normalizer, condition, accent, key.normalizer)

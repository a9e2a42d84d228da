"""The schemas of every table that crosses a stage border, and the one way to check them.

The class is the documentation: columns, types, key, ranges. ``check`` turns a broken table into one
readable paragraph with the first five offenders.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from pipeline.checked_text import schema_of
from pipeline.errors import TableError, first_five

ATTRIBUTE_PREFIX = "attr_"
POOLED = "ALL"
"""The ``accent`` of the cells that pool every accent; no accent may carry this name."""


class _Table(pa.DataFrameModel):
    """Common rules: no undeclared column, no silent conversion."""

    class Config:
        strict = True
        coerce = False


class Utterances(_Table):
    """One recording with its reference. Extra declared speaker attributes are ``attr_<name>`` text columns."""

    utterance_id: Series[str] = pa.Field(str_length={"min_value": 1})
    corpus: Series[str]
    speaker_id: Series[str] = pa.Field(nullable=True, description="missing where the corpus names no speakers")
    accent: Series[str] = pa.Field(str_length={"min_value": 1})
    raw_accent: Series[str]
    reference: Series[str]
    audio: Series[str] = pa.Field(description="path as the corpus resolves it; empty where it holds no audio")
    audio_sha256: Series[str] = pa.Field(nullable=True, str_length={"min_value": 64, "max_value": 64})
    sample_rate_hz: Series[int] = pa.Field(ge=0, description="0 where there is no audio")
    duration_s: Series[float] = pa.Field(nullable=True, gt=0, description="missing where there is no audio")
    synthetic: Series[bool]
    label_provenance: Series[str]
    attributes: Series[str] | None = pa.Field(alias=f"^{ATTRIBUTE_PREFIX}", regex=True, nullable=True)

    class Config:
        unique = ["utterance_id"]


class Listing(_Table):
    """What a corpus says of an utterance before any audio is opened: enough to plan a study."""

    utterance_id: Series[str] = pa.Field(str_length={"min_value": 1})
    speaker_id: Series[str] = pa.Field(nullable=True)
    accent: Series[str] = pa.Field(str_length={"min_value": 1})
    reference: Series[str]
    attributes: Series[str] | None = pa.Field(alias=f"^{ATTRIBUTE_PREFIX}", regex=True, nullable=True)

    class Config:
        unique = ["utterance_id"]


class Acoustics(_Table):
    """What one recording was like before anything was done to it, at its own sample rate.

    Missing where it cannot be measured: an utterance without active speech has no level, SNR, bandwidth or rate.
    """

    utterance_id: Series[str]
    active_level_dbov: Series[float] = pa.Field(nullable=True, description="ITU-T P.56, unweighted")
    activity: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="ITU-T P.56")
    noise_floor_dbov: Series[float] = pa.Field(nullable=True, description="estimated")
    snr_estimated_db: Series[float] = pa.Field(nullable=True, description="active level minus noise floor")
    bandwidth_hz: Series[float] = pa.Field(nullable=True, ge=0, description="median 95 % roll-off of active frames")
    clipped_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="samples in runs at full scale")
    speech_rate_words_per_s: Series[float] = pa.Field(nullable=True, ge=0, description="reference words, active time")
    sample_rate_hz: Series[int] = pa.Field(gt=0)
    codec: Series[str] = pa.Field(nullable=True, description="container and coding, such as FLAC/PCM_16")

    class Config:
        unique = ["utterance_id"]


class Trials(_Table):
    """One utterance under one condition. ``plan`` is JSON of integers and file hashes only."""

    utterance_id: Series[str]
    condition: Series[str]
    trial_key: Series[str] = pa.Field(str_length={"min_value": 64, "max_value": 64})
    slot: Series[int] = pa.Field(ge=0)
    plan: Series[str]

    class Config:
        unique = ["utterance_id", "condition"]


class Transcripts(_Table):
    """What the recognizer said. A hypothesis may be empty, never missing; a failed trial is an exclusion instead."""

    trial_key: Series[str]
    backend: Series[str]
    hypothesis: Series[str]
    status: Series[str] = pa.Field(isin=["ok", "missing"])
    detail: Series[str]
    decode_s: Series[float] = pa.Field(nullable=True, ge=0)
    avg_logprob: Series[float] = pa.Field(nullable=True)
    no_speech_prob: Series[float] = pa.Field(nullable=True)
    compression_ratio: Series[float] = pa.Field(nullable=True)
    n_tokens: Series[float] = pa.Field(nullable=True, ge=0, description="emitted by the decoder, retries included")

    class Config:
        unique = ["trial_key", "backend"]


class Repeats(_Table):
    """One further transcript of a trial, drawn at a temperature above 0. None of them is scored."""

    trial_key: Series[str]
    backend: Series[str]
    repeat: Series[int] = pa.Field(ge=1)
    temperature: Series[float] = pa.Field(gt=0)
    seed: Series[int] = pa.Field(ge=0)
    hypothesis: Series[str]

    class Config:
        unique = ["trial_key", "backend", "repeat"]


class Renderings(_Table):
    """What each rendering came out as. What a condition does not touch (noise, room, loss) is missing."""

    trial_key: Series[str]
    active_level_in_dbov: Series[float] = pa.Field(nullable=True)
    active_level_out_dbov: Series[float] = pa.Field(nullable=True)
    activity: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    snr_none_db: Series[float] = pa.Field(nullable=True)
    snr_a_db: Series[float] = pa.Field(nullable=True)
    snr_g712_db: Series[float] = pa.Field(nullable=True)
    snr_wb_db: Series[float] = pa.Field(nullable=True)
    rt60_s: Series[float] = pa.Field(nullable=True)
    drr_db: Series[float] = pa.Field(nullable=True, description="direct sound against reverberation")
    overload_share: Series[float] = pa.Field(nullable=True, description="samples that a clipping step cut off")
    loss_share: Series[float] = pa.Field(nullable=True)
    loss_active_share: Series[float] = pa.Field(nullable=True, description="of the active speech, what was lost")
    longest_loss_s: Series[float] = pa.Field(nullable=True)
    clipped_share: Series[float] = pa.Field(ge=0, le=1)
    peak: Series[float] = pa.Field(ge=0)
    delay_removed_s: Series[float] = pa.Field(ge=0)
    samples: Series[int] = pa.Field(gt=0)
    audio_sha256: Series[str] = pa.Field(description="of the rendered 16-bit samples")
    steps: Series[str] = pa.Field(description="JSON: each step's kind and all that it measured")

    class Config:
        unique = ["trial_key"]


class NonSpeech(_Table):
    """What the recognizer said of a trial whose speech was left out: the noise, or the silence, of a real trial.

    ``utterance_id`` and ``condition`` name the real trial, whose plan, gains and channel these are. Nothing here
    enters a score: there is no reference.
    """

    utterance_id: Series[str]
    condition: Series[str]
    slot: Series[int] = pa.Field(ge=0)
    trial_key: Series[str] = pa.Field(str_length={"min_value": 64, "max_value": 64})
    backend: Series[str]
    duration_s: Series[float] = pa.Field(gt=0)
    hypothesis: Series[str]
    n_words: Series[int] = pa.Field(ge=0, description="words of the hypothesis, whatever the normalizers of the study")
    audio_sha256: Series[str] = pa.Field(description="of the rendered 16-bit samples")

    class Config:
        unique = ["condition", "slot", "backend"]


class Scores(_Table):
    """Word errors of one trial under one normalizer."""

    utterance_id: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    speaker_id: Series[str] = pa.Field(nullable=True)
    accent: Series[str]
    hits: Series[int] = pa.Field(ge=0)
    substitutions: Series[int] = pa.Field(ge=0)
    deletions: Series[int] = pa.Field(ge=0)
    insertions: Series[int] = pa.Field(ge=0)
    # two runs of one study, before and after characters were counted, can both be read
    ref_characters: Series[int] | None = pa.Field(ge=0, description="of the normalized reference, spaces included")
    character_errors: Series[int] | None = pa.Field(ge=0, description="edits of a minimum character alignment")
    error_slots: Series[str] | None = pa.Field(
        description="where the errors lie: 2 i + 1 is reference word i (from 0), 2 i an insertion before it"
    )
    normalized_reference: Series[str]
    normalized_hypothesis: Series[str]

    class Config:
        unique = ["utterance_id", "condition", "backend", "normalizer"]


class Cells(_Table):
    """WER of one accent under one condition. ``accent`` is ``ALL`` in the rows that pool every accent."""

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers, N^2 / sum N_s^2")
    n_utterances: Series[int] = pa.Field(ge=0)
    n_ref_words: Series[int] = pa.Field(ge=0)
    hits: Series[int] = pa.Field(ge=0)
    substitutions: Series[int] = pa.Field(ge=0)
    deletions: Series[int] = pa.Field(ge=0)
    insertions: Series[int] = pa.Field(ge=0)
    wer: Series[float] = pa.Field(nullable=True, ge=0)
    ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    borrowed_low: Series[float] = pa.Field(
        nullable=True, ge=0, description="interval with a variance that other accents lend"
    )
    borrowed_high: Series[float] = pa.Field(nullable=True, ge=0)
    bootstrap_low: Series[float] = pa.Field(nullable=True, ge=0, description="studentized, speakers drawn again")
    bootstrap_high: Series[float] = pa.Field(nullable=True, ge=0)
    bootstrap_replicates: Series[float] = pa.Field(nullable=True, gt=0, description="defined ones behind it")
    speaker_mean_wer: Series[float] = pa.Field(nullable=True, ge=0)
    f1: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    support: Series[str] = pa.Field(isin=["ok", "thin", "insufficient", "zero_errors", "no_words"])
    unit: Series[str] = pa.Field(isin=["speaker", "utterance"], description="what the interval takes as independent")
    ranked: Series[bool] = pa.Field(description="at or above the minimum-speakers floor: may be called best or worst")
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


class Disparities(_Table):
    """Summaries across accents within one condition. ``accent`` is empty where the statistic has no one accent."""

    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    statistic: Series[str]
    accent: Series[str]
    value: Series[float] = pa.Field(nullable=True)
    ci_low: Series[float] = pa.Field(nullable=True)
    ci_high: Series[float] = pa.Field(nullable=True)
    null_mean: Series[float] = pa.Field(nullable=True, description="mean when speakers are permuted over accents")
    null_p95: Series[float] = pa.Field(nullable=True)
    p: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    worst: Series[str]
    best: Series[str]
    n_groups: Series[int] = pa.Field(ge=0)
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["condition", "backend", "normalizer", "statistic", "accent"]


class Interactions(_Table):
    """Does a condition hurt one accent more than the others? Paired, per speaker.

    ``accent`` is empty in the omnibus rows; ``condition`` is empty in the row over all conditions.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    n_speakers: Series[int] = pa.Field(ge=0)
    log_ratio: Series[float] = pa.Field(nullable=True, description="extra log degradation against the other accents")
    ratio: Series[float] = pa.Field(nullable=True, gt=0)
    ci_low: Series[float] = pa.Field(nullable=True, description="of the ratio, pointwise")
    ci_high: Series[float] = pa.Field(nullable=True)
    extra_points: Series[float] = pa.Field(nullable=True, description="absolute: extra WER against the other accents")
    points_ci_low: Series[float] = pa.Field(nullable=True)
    points_ci_high: Series[float] = pa.Field(nullable=True)
    statistic: Series[float] = pa.Field(nullable=True, description="T of the accent, F of an omnibus row")
    p_adjusted: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="max-T over the family; omnibus: own p")
    detectable_ratio: Series[float] = pa.Field(nullable=True, gt=0, description="shown with power .8, after max-T")
    note: Series[str]
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer"]


class Variability(_Table):
    """How much a recognizer that samples varies between repeats of one trial, and how right they are.

    One accent (``ALL`` pools them) under one condition, at one temperature; of scored trials. ``disagreement`` is
    ``pair_errors`` over ``pair_words``: words of two repeats that differ, each taken as the other's reference in turn.
    It may exceed 1, where one of two repeats is empty or much longer.
    """

    accent: Series[str]
    condition: Series[str]
    backend: Series[str]
    normalizer: Series[str]
    temperature: Series[float] = pa.Field(gt=0)
    n_speakers: Series[int] = pa.Field(ge=0, description="named, with words in their repeats")
    k_eff: Series[float] = pa.Field(ge=0, description="effective number of speakers")
    n_trials: Series[int] = pa.Field(ge=0, description="with two repeats or more; everything else here is of them")
    n_left_out: Series[int] = pa.Field(ge=0, description="scored trials with fewer than two repeats")
    n_repeats: Series[int] = pa.Field(ge=0)
    n_alike: Series[int] = pa.Field(ge=0, description="trials whose repeats all have one normalized text")
    n_ref_words: Series[int] = pa.Field(ge=0, description="reference words of the trials, each trial once")
    pair_words: Series[int] = pa.Field(ge=0)
    pair_errors: Series[int] = pa.Field(ge=0)
    disagreement: Series[float] = pa.Field(nullable=True, ge=0)
    ci_low: Series[float] = pa.Field(nullable=True, ge=0)
    ci_high: Series[float] = pa.Field(nullable=True, ge=0)
    repeat_ref_words: Series[int] = pa.Field(ge=0, description="reference words, each trial once a repeat")
    repeat_errors: Series[int] = pa.Field(ge=0, description="of all repeats against the reference")
    repeat_wer: Series[float] = pa.Field(nullable=True, ge=0)
    scored_errors: Series[int] = pa.Field(ge=0, description="of the scored transcripts of the same trials")
    scored_wer: Series[float] = pa.Field(nullable=True, ge=0)
    support: Series[str] = pa.Field(isin=["ok", "thin", "insufficient", "zero_errors", "no_words"])
    unit: Series[str] = pa.Field(isin=["speaker", "utterance"], description="what the interval takes as independent")
    synthetic: Series[bool]

    class Config:
        unique = ["accent", "condition", "backend", "normalizer", "temperature"]


class Exclusions(_Table):
    """Every row that left the study, with its reason."""

    stage: Series[str]
    utterance_id: Series[str]
    condition: Series[str]
    reason: Series[str]
    detail: Series[str]


Schema = type[_Table]


def columns(schema: Schema) -> dict[str, str]:
    """Return the declared columns of ``schema`` and their pandas dtypes, without regex columns."""
    declared = schema.to_schema().columns
    return {name: _pandas_name(str(column.dtype)) for name, column in declared.items() if not column.regex}


def optional(schema: Schema) -> set[str]:
    """Return the columns that a table of ``schema`` may lack."""
    return {name for name, column in schema.to_schema().columns.items() if not column.required and not column.regex}


def _pandas_name(dtype: str) -> str:
    # pandera spells Python's str as "string[pyarrow]"; the study uses pandas' own "str" (missing = NaN)
    return "str" if dtype.startswith("str") else dtype


def build(rows: Iterable[Any], schema: Schema, *, where: str) -> pd.DataFrame:
    """Build a checked table from dataclasses or mappings; right types also with no rows at all."""
    records = [asdict(row) if is_dataclass(row) and not isinstance(row, type) else dict(row) for row in rows]
    extra = sorted({key for record in records for key in record if key.startswith(ATTRIBUTE_PREFIX)})
    dtypes = columns(schema) | dict.fromkeys(extra, "str")
    absent = optional(schema) - {key for record in records for key in record} if records else ()
    dtypes = {name: dtype for name, dtype in dtypes.items() if name not in absent}
    table = pd.DataFrame.from_records(records, columns=list(dtypes))
    return check(cast(table, dtypes), schema, where=where)


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of ``table``, each as a mapping of column to value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def cast(table: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Give each column its declared type; None becomes the missing value of that type."""
    return table.astype({name: dtype for name, dtype in dtypes.items() if name in table.columns})


def check(table: pd.DataFrame, schema: Schema, *, where: str) -> pd.DataFrame:
    """Return ``table`` if it obeys ``schema``, else raise one readable paragraph.

    Raises:
        TableError: with the schema, each broken rule and its first five offenders.
    """
    try:
        return schema_of(schema).validate(table, lazy=True)
    except (pa.errors.SchemaErrors, pa.errors.SchemaError) as error:
        raise TableError(f"{where}: the table is not a valid {schema.__name__} table. {_paragraph(error)}") from None


def _paragraph(error: pa.errors.SchemaErrors | pa.errors.SchemaError) -> str:
    if isinstance(error, pa.errors.SchemaError):
        return str(error)
    cases = error.failure_cases
    lines = []
    for (column, rule), group in cases.groupby(["column", "check"], sort=False, dropna=False):
        at = "" if column is None or pd.isna(column) else f"column '{column}': "
        rows = [f"row {row}: {value!r}" for row, value in zip(group["index"], group["failure_case"], strict=True)]
        lines.append(f"{at}{rule} fails for {first_five(rows)}.")
    return " ".join(lines)

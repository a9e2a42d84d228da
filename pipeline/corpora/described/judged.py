"""What a description says of rows: which are left out and why, and what the marks of a transcript mean."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.corpora.described.found import Found
from pipeline.corpora.described.reference_formats import FORMATS, UnscorableError
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.corpora.manifest_files import Row
from pipeline.records import Reason


def left_out(found: Iterable[Found], settings: DescribedSettings) -> Iterator[Found]:
    """Yield what was found; what ``settings.leave_out`` describes carries the reason that is stated there."""
    for one in found:
        because = next(
            (rule.because for rule in settings.leave_out if re.search(rule.pattern, one.cells.get(rule.column, ""))), ""
        )
        yield replace(one, problem=because, reason=Reason.LEFT_OUT) if because else one


def with_reference(row: Row, settings: DescribedSettings) -> Row:
    """Return the row with its reference as ``settings.reference_format`` makes it of the transcript."""
    text = row.cells.get("reference")
    if not text or settings.reference_format == "as_given":
        return row
    try:
        return replace(row, cells={**row.cells, "reference": FORMATS[settings.reference_format](text)})
    except UnscorableError as error:
        if row.problem:
            return row
        return replace(row, problem=f"reference: {error}", reason=Reason.INCOMPLETE_REFERENCE)

"""From the tables of an audit to the card's numbers; under a floor without those that would count few speakers."""

from pipeline import tables
from pipeline.card.audit_measures import DataAssociation, DataCell, DataDuplicates, DataTexts
from pipeline.card.keys import Key
from pipeline.card.view import View
from pipeline.tables import POOLED

METHOD = "speakers are the units; p by rearranging them, adjusted by Holm within the family"


def associations(view: View) -> list[DataAssociation]:
    """Return every association that rests on as many as may be told of."""
    floor = view.source.publication.floor or 0
    names = [name for name in DataAssociation.model_fields if name not in ("key", "method")]
    rows = [row for row in tables.rows(view.source.audit.associations) if row["n_units"] >= floor]
    return [DataAssociation(key=Key(), method=METHOD, **{name: row[name] for name in names}) for row in rows]


def texts(view: View) -> list[DataTexts]:
    """Return what the texts of each group were like."""
    names = [name for name in DataTexts.model_fields if name not in ("key", "method")]
    return [
        DataTexts(
            key=Key(accent="" if row["accent"] == POOLED else row["accent"]),
            method=f"of the references; distinct words among {row['drawn_words']:,} expected",
            **{name: row[name] for name in names},
        )
        for row in tables.rows(view.source.audit.texts)
    ]


def cells(view: View) -> list[DataCell]:
    """Return who is there; under a floor nothing, because one cell would follow from the others."""
    if view.source.publication.floor is not None:
        return []
    names = [name for name in DataCell.model_fields if name not in ("key", "method", "n_ref_words")]
    return [
        DataCell(
            key=Key(accent=row["accent"]),
            method="utterances as loaded; words of the references",
            n_ref_words=row["n_words"],
            **{name: row[name] for name in names},
        )
        for row in tables.rows(view.source.audit.coverage)
    ]


def duplicates(view: View) -> DataDuplicates | None:
    """Return how much is there twice; None where no audit was made."""
    audit, floor = view.source.audit, view.source.publication.floor or 0
    if audit.coverage.empty:
        return None
    kinds, several = audit.duplicates["kind"], len(audit.speakers)
    return DataDuplicates(
        key=Key(),
        method="the same sound by its hash; texts by their likeness; speakers by name",
        shared_recordings=int((kinds == "same_audio").sum()),
        near_text_pairs=int((kinds == "near_text").sum()),
        speakers_in_several_accents=several if several == 0 or several >= floor else None,
    )

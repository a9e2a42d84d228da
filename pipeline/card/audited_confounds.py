"""What goes with accent, in sentences: each with its effect, its p-value, and who it is made of.

An association that is not shown is told with its p-value and never called absent.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.audit_tables import ACCENT, Audit
from pipeline.card.audited import GRAVE, LIMIT, RECORD, Finding, Told, named
from pipeline.card.wording import count, label, listed, p_value, percent

EFFECTS = {"cramers_v": "Cramér's V", "epsilon_squared": "epsilon squared of ranks", "spearman": "Spearman's rho"}
FEWEST = 3
"""Speakers of whom a sentence says "every"."""
FEWEST_COMPARED = 5
READING = ("words an utterance", "speech rate", "share of active speech", "duration of a recording")
"""Measures in which reading shows."""
SOURCE_FORMAT = "file format"


def confounds(audit: Audit, told: Told) -> Iterator[Finding]:
    """Yield a sentence for each association that is shown or follows from the design, and one for those not shown."""
    everybody = {unit: _everybody(audit, unit) for unit in ("speaker", "utterance")}
    rows = [row | {"unknown": everybody[row["unit"]] - row["n_units"]} for row in tables.rows(audit.associations)]
    untested = [row for row in rows if row["note"]]
    rows = [row for row in rows if _may_be_told(row, told)]
    groups = {key: tables.rows(part) for key, part in audit.groups.groupby(["attribute", "against"], sort=True)}
    shown = [row for row in rows if row["shown"] or row["nested"] not in ("", "constant")]
    with_accent = {row["attribute"] for row in shown if row["against"] == ACCENT}
    for row in sorted(shown, key=_gravest):
        if not {row["attribute"], row["against"]} <= with_accent:
            yield _sentence(row, groups.get((row["attribute"], row["against"]), []), told)
    yield from _together([row for row in shown if {row["attribute"], row["against"]} <= with_accent])
    yield from _constants(rows, groups)
    yield from _not_shown(rows)
    yield from _not_tested(untested)


def _everybody(audit: Audit, unit: str) -> int:
    whole = audit.coverage[audit.coverage["attribute"] == ""]
    return int(whole["n_speakers" if unit == "speaker" else "n_utterances"].sum())


def _may_be_told(row: dict[str, Any], told: Told) -> bool:
    """Return whether as many named speakers as a floor asks for are behind a row."""
    return told.floor is None or (row["unit"] == "speaker" and told.may_name(row["n_units"]))


def _together(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Say in one sentence which things that go with accent go with each other too."""
    if rows:
        pairs = [f"{label(row['attribute'])} and {label(row['against'])}" for row in sorted(rows, key=_gravest)]
        yield Finding(
            RECORD, "confounds", f"Of what goes with accent, these are shown to go together too: {named(pairs)}."
        )


def _gravest(row: dict[str, Any]) -> tuple[Any, ...]:
    nested = {"in_accent": 0, "same": 1}.get(row["nested"], 2)
    value = 0.0 if pd.isna(row["value"]) else abs(row["value"])
    return row["family"] != "accent", nested, -value, row["attribute"], row["against"]


def _sentence(row: dict[str, Any], groups: Sequence[dict[str, Any]], told: Told) -> Finding:
    name, against = label(row["attribute"]), label(row["against"])
    behind = _behind(row, told)
    severity = GRAVE if row["family"] == ACCENT else LIMIT
    if row["nested"] == "same":
        text = f"{name} and accent part the speakers in the same way ({behind}): neither can be told from the other."
        return Finding(severity, "confounds", text)
    made_of = _made_of(row, groups, told)
    if row["nested"] == "in_accent":
        start = f"{name} cannot be separated from accent ({behind}): {_within(row, groups)}"
    elif row["nested"] == "in_attribute" and not row["shown"]:
        start = f"Each {name} occurs in one accent only ({behind})"
    elif row["measure"] == "spearman":
        start = f"{name} {'rises' if row['value'] > 0 else 'falls'} with {against} ({behind})"
    else:
        start = f"{name} goes with {against} ({behind})"
    return Finding(severity, "confounds", f"{start}{made_of}. {_so(row)}")


def _within(row: dict[str, Any], groups: Sequence[dict[str, Any]]) -> str:
    levels = [one["group"] for one in groups]
    where = "an accent" if len(set(levels)) == len(levels) else "the larger accents"
    return f"within {where} all{' of whom it is known' if row['unknown'] else ''} share one value"


def _behind(row: dict[str, Any], told: Told) -> str:
    parts = []
    if not pd.isna(row["value"]):
        parts.append(f"{EFFECTS[row['measure']]} {row['value']:.2f}")
    if not pd.isna(row["p_adjusted"]):
        parts.append(f"adjusted {p_value(row['p_adjusted'])}")
    if row["unknown"] and told.floor is None:
        total = count(row["n_units"] + row["unknown"], row["unit"])
        return listed([*parts, f"known of {row['n_units']:,} of {total}"])
    return listed([*parts, count(row["n_units"], row["unit"])])


def _so(row: dict[str, Any]) -> str:
    name, against = label(row["attribute"]), label(row["against"])
    whose = "between accents" if row["against"] == ACCENT else f"by {against}"
    if row["attribute"] in READING:
        return f"A difference {whose} may be one of the texts or, where speech is read, of reading skill and pace."
    if row["measured"]:
        return f"A difference {whose} may be one of the recordings."
    return f"A difference {whose} may be one of {name}."


def _made_of(row: dict[str, Any], groups: Sequence[dict[str, Any]], told: Told) -> str:
    if row["measure"] == "cramers_v" and groups:
        return _levels(row, groups, told)
    shown = [one for one in groups if one["n_units"] >= FEWEST_COMPARED and told.may_name(one["n_units"])]
    if told.floor is None and len(shown) < 2:
        shown = list(groups)
    if row["measure"] != "epsilon_squared" or len(shown) < 2:
        return ""
    low, high = (pick(shown, key=lambda one: (one["median"], one["group"])) for pick in (min, max))
    ends = (f"{one['median']:.3g} ({_group(row, one)}, {count(one['n_units'], row['unit'])})" for one in (low, high))
    return ": medians from " + " to ".join(ends)


def _group(row: dict[str, Any], one: dict[str, Any]) -> str:
    return label(one["group"]) if row["against"] == ACCENT else f"{label(row['against'])} {label(one['group'])}"


def _levels(row: dict[str, Any], groups: Sequence[dict[str, Any]], told: Told) -> str:
    totals: dict[str, int] = {}
    for one in groups:
        totals[one["group"]] = totals.get(one["group"], 0) + one["n_units"]
    of = {name: [one for one in groups if one["group"] == name] for name in totals}
    alike = [own[0] for name, own in of.items()
             if len(own) == 1 and totals[name] >= FEWEST and told.may_name(totals[name])]  # fmt: skip
    if not alike:
        return _widest(row, groups, totals, told)
    parts = []
    for level in dict.fromkeys(one["level"] for one in alike):
        own = [one for one in alike if one["level"] == level]
        names = named([_group(row, one) for one in own])
        known = f" whose {label(row['attribute'])} is known" if row["unknown"] else ""
        parts.append(
            f"every {row['unit']} of {names}{known} is {label(level)} ({sum(one['n_units'] for one in own):,})"
        )
    for level in sorted({one["level"] for one in groups} - {one["level"] for one in alike}):
        own = [one for one in groups if one["level"] == level]
        n = sum(one["n_units"] for one in own)
        if told.floor is None and len(own) <= FEWEST_COMPARED:
            parts.append(f"{label(level)} only in {named([_group(row, one) for one in own])} ({n:,})")
    return ": " + "; ".join(named_parts(parts))


def named_parts(parts: Sequence[str], most: int = 6) -> list[str]:
    """Return the first parts of a sentence, and how many are left out."""
    return [*parts[:most], *([f"and {len(parts) - most} more"] if len(parts) > most else [])]


def _widest(row: dict[str, Any], groups: Sequence[dict[str, Any]], totals: dict[str, int], told: Told) -> str:
    """Return the value whose share differs most between groups large enough to have one."""
    large = [name for name, n in totals.items() if n >= FEWEST_COMPARED]
    if len(large) < 2 or told.floor is not None:  # a share of a group counts few of it
        return ""
    best: tuple[float, str, list[tuple[float, str]]] = (-1.0, "", [])
    for level in sorted({one["level"] for one in groups}):
        counts = {one["group"]: one["n_units"] for one in groups if one["level"] == level}
        shares = sorted((counts.get(name, 0) / totals[name], name) for name in large)
        best = max(best, (shares[-1][0] - shares[0][0], level, shares), key=lambda item: item[0])
    _, level, shares = best
    ends = (f"{percent(share)} ({_group(row, {'group': name})}, of {totals[name]:,})" for share, name in
            (shares[0], shares[-1]))  # fmt: skip
    return f": {label(level)} from " + " to ".join(ends)


def _constants(rows: Sequence[dict[str, Any]], groups: dict[Any, list[dict[str, Any]]]) -> Iterator[Finding]:
    names = []
    for row in rows:
        if row["nested"] != "constant":
            continue
        value = label(groups[row["attribute"], row["against"]][0]["level"])
        if row["attribute"] == SOURCE_FORMAT and not row["unknown"]:
            yield Finding(RECORD, "recordings", f"Every recording came as {value}.")
        else:
            names.append(f"{label(row['attribute'])} ({value}{_apart(row)})")
    if names:
        yield Finding(LIMIT, "coverage", f"Alike for everybody, so nothing can be said of others: {named(names)}.")


def _apart(row: dict[str, Any]) -> str:
    """Return of whom a value is not known, or not only this one; a speaker with several is among the unknown."""
    if row["n_mixed"]:
        return "; speakers with several values apart"
    return ", where it is known" if row["unknown"] else ""


def _not_shown(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    tested = [row for row in rows if row["family"] == ACCENT and not row["shown"] and not pd.isna(row["p_adjusted"])]
    if tested:
        names = named([f"{label(row['attribute'])} ({p_value(row['p_adjusted'])})" for row in tested])
        fewest, most = (pick(row["n_units"] for row in tested) for pick in (min, max))
        of = count(most, "speaker") if fewest == most else f"{fewest:,} to {count(most, 'speaker')}"
        text = f"Not shown to go with accent, which does not show that they do not (adjusted, {of}): {names}."
        yield Finding(RECORD, "confounds", text)


def _not_tested(rows: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    untested = [row for row in rows if row["family"] == ACCENT and "one accent" not in row["note"]]
    for note in sorted({row["note"] for row in untested}):
        names = named([label(row["attribute"]) for row in untested if row["note"] == note])
        yield Finding(RECORD, "confounds", f"{names}: {note}.")

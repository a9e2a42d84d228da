"""One row of the table of disparities, before it gets its condition, backend and normalizer."""

from typing import Any


def summary_row(statistic: str, n_groups: int, note: str, **values: Any) -> dict[str, Any]:
    """Return a row of ``tables.Disparities`` in which everything that is not given is missing or empty."""
    empty = dict.fromkeys(("value", "ci_low", "ci_high", "null_mean", "null_p95", "p"))
    names = {"accent": "", "worst": "", "best": ""}
    return {"statistic": statistic, "n_groups": n_groups, "note": note} | empty | names | values

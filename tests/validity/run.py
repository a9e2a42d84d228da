"""Run every simulation and write its table::

    python tests/validity/run.py                                      # minutes: a look
    nice -n 10 python tests/validity/run.py --long results/validity   # what is committed there

Without the extra ``regression`` its part is left out, and the last line says so.
"""

import argparse
import csv
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from simulations import between, gap_changes, interaction, intervals, omnibus, two_accents
from simulations.figure import Figure

Simulation = Callable[[int], list[Figure]]
SIMULATIONS: list[tuple[str, Simulation, int, int]] = [
    ("cell intervals", intervals.coverage, 1000, 6000),
    ("omnibus, size", omnibus.size, 200, 1000),
    ("omnibus, power", omnibus.power, 200, 500),
    ("naive gap", omnibus.naive_gap, 100, 300),
    ("interaction, size", interaction.size, 200, 1000),
    ("interaction, power", interaction.power, 100, 400),
    ("two accents, size", two_accents.size, 200, 2000),
    ("equivalence", two_accents.equivalence_errors, 200, 1500),
    ("gap of the model", between.coverage, 100, 400),
    ("change of a gap", gap_changes.coverage, 100, 1000),
]
"""Name, simulation, and the number of studies in a short and in a long run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each figure as it comes; with ``--long`` write the table too."""
    parser = argparse.ArgumentParser(description="Coverage and size of the statistics, by simulation.")
    parser.add_argument("--long", type=Path, metavar="FOLDER", help="many studies; write validity.csv into FOLDER")
    parser.add_argument("--only", default="", help="simulations whose name begins so")
    given = parser.parse_args(arguments)
    if given.long and given.only:
        parser.error("--long writes the whole table: leave --only out")
    figures: list[Figure] = []
    for name, simulation, short, long in _simulations():
        if name.startswith(given.only):
            start = time.perf_counter()
            found = simulation(long if given.long else short)
            print(f"# {name}: {time.perf_counter() - start:.0f} s", flush=True)
            for one in found:
                print(_line(one), flush=True)
            figures += found
            if given.long:
                given.long.mkdir(parents=True, exist_ok=True)
                write(figures, given.long / "validity.csv")
    if importlib.util.find_spec("glmm") is None:
        print("The mixed model was left out: pip install -e '.[regression]'")


def _simulations() -> list[tuple[str, Simulation, int, int]]:
    if importlib.util.find_spec("glmm") is None:
        return SIMULATIONS
    from simulations import regression

    return [*SIMULATIONS, ("mixed model", regression.false_flags, 50, 300)]


def _line(one: Figure) -> str:
    against = f" (published {one.published:g})" if one.published is not None else ""
    wanted = f" required {one.required}" if one.required else ""
    return f"{one.study} | {one.design} | {one.measure}: {one.value:.4f} SE {one.standard_error:.4f}{against}{wanted}"


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as CSV, four decimals."""
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(Figure)])
        rows.writeheader()
        for one in figures:
            rounded = {"value": f"{one.value:.4f}", "standard_error": f"{one.standard_error:.4f}"}
            rows.writerow(asdict(one) | rounded)


if __name__ == "__main__":
    main()

"""Make ``scores.csv``: a small seeded study whose model fits are frozen in ``glmmtmb.json`` beside it.

Four accents x five speakers read the same eight texts under three conditions. Log rates: speakers (SD .45), texts
(.25), speakers by condition (.2), accents (0, .1, .2, .4), and a harm of 1.5 times for the last accent under babble;
counts are negative binomial (theta 3). Only this program's own numbers are in it.
"""

import csv
from pathlib import Path

import numpy as np

ACCENTS, SPEAKERS, TEXTS, THETA = (0.0, 0.1, 0.2, 0.4), 5, 8, 3.0
CONDITIONS = {"clean": 0.0, "babble": 0.5, "codec": 0.2}


def main() -> None:
    rng = np.random.default_rng(20)
    texts, words = rng.normal(0, 0.25, TEXTS), rng.integers(8, 30, TEXTS)
    with (Path(__file__).parent / "scores.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["accent", "speaker", "text", "condition", "words", "errors"])
        for accent, level in enumerate(ACCENTS):
            for speaker in range(SPEAKERS):
                own = level + rng.normal(0, 0.45)
                for name, factor in CONDITIONS.items():
                    harm = np.log(1.5) * (accent == 3 and name == "babble")
                    mean = 0.15 * words * np.exp(own + factor + harm + rng.normal(0, 0.2) + texts)
                    errors = rng.negative_binomial(THETA, THETA / (THETA + mean))
                    for text in range(TEXTS):
                        names = [f"a{accent}", f"a{accent}s{speaker}", f"t{text}", name]
                        rows.writerow([*names, words[text], errors[text]])


if __name__ == "__main__":
    main()

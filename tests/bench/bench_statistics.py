"""What scoring and summarizing a million trials costs, as ratios to the alignment alone, all in one process tree.

Run by hand: ``python tests/bench/bench_statistics.py [trials]``. Prints a table of seconds and ratios, by the clock and
of processors (on a busy machine only the latter say much), the speaker bootstrap of 2,000 speakers x 100 cells, and the
most memory held. Machines differ, ratios less. The words are made up: 2,000 speakers of 20 accents, ten conditions,
three to fifteen words an utterance, nearly each hypothesis another text.
"""

import sys

if __name__ == "__main__":  # processes that help import this file too, and need nothing of the study
    from million_trials import main

    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

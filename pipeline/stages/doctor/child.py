"""What is tried in a process of its own, so that a crash or a hang there is a finding and not the doctor's end.

``python -m pipeline.stages.doctor.child TASK LIMIT_S`` reads what it is told as JSON from standard input, lets
``try_TASK`` do it, and answers with one JSON object. What libraries print meanwhile goes to standard error.
"""

import importlib
import json
import os
import signal
import sys
from typing import Any

from pipeline.stages.doctor import restraint

MESSAGE_LIMIT = 2_000
SPARE_S = 10
"""So much longer than its limit a child lives whose parent is no more."""


def main() -> None:
    """Do one task, answer, and end without the libraries' own endings, which may hang."""
    task, limit_s = sys.argv[1], float(sys.argv[2])
    if hasattr(signal, "alarm"):
        signal.alarm(round(limit_s) + SPARE_S)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    told = json.load(sys.stdin)
    try:
        said = {"found": importlib.import_module(f"pipeline.stages.doctor.try_{task}").attempt(told)}
    except Exception as error:  # whatever a library raises is what there is to tell
        said = {"error": _described(error)}
    answer.write(json.dumps(said))
    answer.close()
    os._exit(0)


def _described(error: Exception) -> dict[str, Any]:
    from pipeline.errors import StudyError

    return {
        "kind": type(error).__name__,
        "message": str(error)[:MESSAGE_LIMIT],
        "sentence": isinstance(error, StudyError),
        "wanted": restraint.wanted(),
    }


if __name__ == "__main__":
    main()

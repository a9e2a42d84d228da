"""In a child: let the chosen recognizer find and verify what it needs, without fetching or writing anything."""

import logging
from collections.abc import Mapping
from typing import Any

from pipeline import plugins
from pipeline.stages.doctor.restraint import restrain


def attempt(told: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare the recognizer of the section ``asr``, on ``device`` unless that is None.

    Returns:
        Its name, device and hashes, and what it said meanwhile.

    Raises:
        StudyError: what the recognizer lacks.
    """
    section = dict(told["asr"])
    plugin: Any = plugins.resolve(plugins.BACKENDS, section.pop("kind", None), "asr")
    remarks = _Remarks()
    logger = logging.getLogger("pipeline")
    logger.addHandler(remarks)
    logger.setLevel(logging.INFO)
    restrain()
    backend = plugin(plugin.Settings.model_validate(section))
    if told["device"]:
        backend = backend.on(told["device"])
    backend.prepare()
    hashes = {name: value for name, value in backend.fingerprint().items() if name.startswith("sha256")}
    return {
        "name": backend.name,
        "device": backend.device,
        "hashes": hashes,
        "said": remarks.said,
        "warned": remarks.warned,
    }


class _Remarks(logging.Handler):
    """Keeps what the recognizer logs: where it found its weights, and what it warns of."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.warned: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        (self.warned if record.levelno >= logging.WARNING else self.said).append(record.getMessage())

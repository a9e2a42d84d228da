"""A miniature as a user would load it: through its shipped description, composed by the command's own configuration."""

from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from pipeline import tables
from pipeline.corpora.base import Loaded
from pipeline.corpora.described import DescribedCorpus

CONF = Path(__file__).resolve().parents[2] / "conf"


@cache
def _section(name: str) -> DictConfig:
    """Return the corpus's part of the configuration; composing it alone takes half the time, and gives the same."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(f"corpus/{name}").corpus


def corpus_of(name: str, root: Path | str, *overrides: str) -> DescribedCorpus:
    """Return the corpus that ``corpus=<name> corpus.root=<root>`` and further overrides (``corpus.splits=[]``) make."""
    changed = OmegaConf.from_dotlist([override.removeprefix("corpus.") for override in overrides])
    section = OmegaConf.to_container(OmegaConf.merge(_section(name), changed, {"root": str(root)}), resolve=True)
    assert isinstance(section, dict)
    assert section.pop("kind") == "described"
    return DescribedCorpus(DescribedCorpus.Settings.model_validate(section))


def load(name: str, root: Path | str, *overrides: str) -> Loaded:
    """Load a corpus from ``root``; every row is an utterance or an exclusion."""
    loaded = corpus_of(name, root, *overrides).load()
    tables.check(loaded.utterances, tables.Utterances, where="test")
    assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions)
    return loaded


def told(loaded: Loaded, *columns: str) -> dict[str, tuple[Any, ...]]:
    """Return the columns of every utterance by its id; what is missing is None."""
    table = loaded.utterances.astype(object).where(loaded.utterances.notna(), None)
    return {row["utterance_id"]: tuple(row[name] for name in columns) for row in table.to_dict("records")}


def lost(loaded: Loaded) -> dict[str, tuple[str, str]]:
    """Return reason and detail of every exclusion by its name."""
    return {one.utterance_id: (one.reason.value, one.detail) for one in loaded.exclusions}


def reasons(loaded: Loaded) -> dict[str, str]:
    """Return the reason of every exclusion by its name."""
    return {name: reason for name, (reason, _) in lost(loaded).items()}

"""Any corpus by description: one YAML says how it lies on the disk, which of its columns hold what, and what it is."""

from pipeline.corpora.described.corpus import DescribedCorpus

__all__ = ["DescribedCorpus"]

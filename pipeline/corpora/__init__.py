"""Where speech, references and accent labels come from: one module a kind of corpus, all behind ``base.Corpus``."""

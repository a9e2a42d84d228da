"""Public corpora in miniature: their exact layout on disk, with invented sentences and synthetic speech-like clips."""

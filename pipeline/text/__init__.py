"""Text: named normalizers, and the alignment of a hypothesis to its reference."""

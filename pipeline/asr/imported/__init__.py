"""Readers of transcripts made elsewhere: vendors' JSON, toolkits' text files, and plain tables."""

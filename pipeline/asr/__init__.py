"""Recognizers: adapters that turn rendered audio into words, and the store of what was already heard."""

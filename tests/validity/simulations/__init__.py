"""Worlds whose truth is known, drawn many times: how often do the statistics say what is so?

``python tests/validity/run.py`` runs all of them; the tests beside it run a short form of each.
"""

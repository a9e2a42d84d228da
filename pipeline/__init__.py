"""Whom does a speech recognizer fail, and under which acoustic conditions?

The package is a line of stages over checked tables; ``run.py`` reads as its table of contents and
``DECISIONS.md`` says why things are as they are.
"""

__version__ = "0.1.0"

"""A study and this machine to a diagnosis: what it has, what it lacks, and what to do about that.

``examination`` is the stage. Nothing is imported here, so that ``child``, which runs in processes of its own, starts
fast.
"""

"""The stages, one file each. They never import each other: data passes through ``run.py`` by value."""

"""``python -m pipeline``: see ``app``."""

from pipeline.app import main

if __name__ == "__main__":
    main()

"""``python -m pipeline``: see ``app``."""


def main() -> None:
    """Run the command line; nothing is imported before, so that a rendering process can pass by this file."""
    from pipeline import app

    app.main()


if __name__ == "__main__":
    main()

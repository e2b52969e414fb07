"""The commands, one module each: ``add_parsers`` says what they are called, and each parser names the function that runs it."""

import argparse
from typing import Any, Protocol


class Commands(Protocol):
    """What ``add_subparsers`` returns, as far as the commands need it."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
        """Add one command."""
        ...

"""The keyboard while something is drawn: what is typed, the ^C of an interruption too, must not be echoed into the picture."""

import sys
import termios

_LOCAL_FLAGS = 3


class Keyboard:
    """The echo of the terminal that is read, if one is."""

    def __init__(self) -> None:
        """Remember how it is set."""
        self._before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None

    def silence(self) -> None:
        """Turn the echo off."""
        if self._before is not None:
            silent = [*self._before]
            silent[_LOCAL_FLAGS] &= ~termios.ECHO
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, silent)

    def restore(self) -> None:
        """Set it as it was."""
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

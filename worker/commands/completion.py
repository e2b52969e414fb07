"""``pgmend completion``: a completion script for a shell, made from the parser itself."""

import argparse

import shtab

from worker.commands import Commands

EXAMPLES = """\
examples:
  mkdir -p ~/.local/share/bash-completion/completions
  pgmend completion bash > ~/.local/share/bash-completion/completions/pgmend
  pgmend completion zsh > "${fpath[1]}/_pgmend"
"""


def add_parsers(commands: Commands) -> None:
    """Add ``completion``."""
    parser = commands.add_parser(
        "completion",
        help="print a completion script for a shell",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=("bash", "zsh"), metavar="SHELL", help="bash or zsh")
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    print(shtab.complete(options.parser, options.shell))
    return 0

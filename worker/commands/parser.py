"""The parser of the command line, made of the commands."""

import argparse

from worker import __version__
from worker.commands import (
    attach,
    completion,
    constrain,
    dead_letters,
    detach,
    diagnose,
    doctor,
    events,
    explain,
    heal,
    inspect,
    pausing,
    prune,
    repair,
    restore,
    run,
    schema,
    status,
    verify,
)

EXAMPLES = """\
examples:
  pgmend migrate                 install or upgrade the schema
  pgmend attach                  propose how to attach the application, as SQL
  pgmend run                     work until SIGTERM
  pgmend status                  say at a glance how it stands
  pgmend explain USER            say of one user what is missing, and why
  pgmend doctor                  say what is wrong, and the SQL that mends it
  pgmend diagnose                count orphans, and say why each is one
  pgmend verify                  check that none are left, and that keys keep it so
  pgmend config                  print the effective settings
exit codes: 0 done, 2 usage, 3 something was found, 10-48 refused with a reason (docs/cli.md), 130/143 second signal
"""


COMMANDS = (
    *(run, schema, attach, detach),
    *(status, events, dead_letters, explain, heal, pausing, prune),
    *(doctor, diagnose, verify, constrain, repair, restore),
    *(inspect, completion),
)
"""The modules of the commands. Each adds its parsers, and each parser names its function: ``options.run(options)``."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="pgmend",
        description="Self-healing references for Postgres. Settings: PGMEND_… in the environment or in .env.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pgmend {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parsers(commands)
    parser.set_defaults(parser=parser)
    return parser

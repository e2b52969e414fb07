"""The command line and composition root: settings -> log -> command; exit codes as in ``errors``."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence

import asyncpg

from worker import __version__, settings
from worker.commands import inspect, run, schema
from worker.errors import PgmendError
from worker.log import make_log, redacted
from worker.store.connection import LOST, explained

EXAMPLES = """\
examples:
  pgmend migrate                 install or upgrade the schema
  pgmend run                     work until SIGTERM
  pgmend config                  print the effective settings
exit codes: 0 done, 2 usage, 10-21 refused with a reason (docs/cli.md), 130/143 second signal
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every refusal is one line on stderr."""
    options = make_parser().parse_args(arguments)
    try:
        return _dispatch(options)
    except (asyncpg.PostgresError, *LOST) as error:
        return _refuse(explained(error))
    except PgmendError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 130


def _refuse(error: PgmendError) -> int:
    print(f"pgmend: {redacted(str(error))}", file=sys.stderr)
    return error.exit_code


def _dispatch(options: argparse.Namespace) -> int:
    if options.command == "sql":
        return schema.print_sql()
    loaded = settings.load()
    match options.command:
        case "run":
            identity = run.make_identity()
            log = make_log(level=loaded.log_level, log_format=loaded.log_format, worker_id=identity.worker_id)
            return _await(run.run(loaded, log, identity))
        case "migrate":
            return _await(schema.migrate(loaded, show_status=options.status, dry_run=options.dry_run))
        case "uninstall":
            return _await(schema.uninstall(loaded.target, discard_events=options.discard_events))
        case "check":
            return _await(inspect.check(loaded, any_host=options.any_host))
        case _:
            return inspect.config(loaded, as_json=options.json)


def _await(command: Coroutine[object, object, int]) -> int:
    return asyncio.run(command)


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
    commands.add_parser("run", help="run the worker until SIGTERM or SIGINT")
    migrate = commands.add_parser("migrate", help="install or upgrade the schema pgmend, all of it or nothing")
    migrate.add_argument("--status", action="store_true", help="only say which migrations are applied")
    migrate.add_argument("--dry-run", action="store_true", help="only say which migrations would be applied")
    commands.add_parser("sql", help="print the schema as SQL, to be pasted into an editor")
    uninstall = commands.add_parser("uninstall", help="remove the schema; the audit table stays")
    uninstall.add_argument("--discard-events", action="store_true", help="even if captured rows are lost with it")
    config = commands.add_parser("config", help="print the effective settings, secrets masked")
    config.add_argument("--json", action="store_true", help="as one JSON object")
    check = commands.add_parser("check", help="exit 0 if the database is ready and a worker here is alive")
    check.add_argument("--any-host", action="store_true", help="accept a worker on another host")
    return parser


if __name__ == "__main__":
    sys.exit(main())

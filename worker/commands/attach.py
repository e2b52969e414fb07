"""``pgmend attach``: look at the catalog, propose, and write it down when told."""

import argparse
import asyncio
import json
from pathlib import Path

from worker import settings
from worker.commands import Commands
from worker.commands.saying import say
from worker.core.pairing import find
from worker.core.proposal import Proposal, Surroundings, propose
from worker.core.rendering import body, render, told_count
from worker.core.telling import as_data, done, next_steps
from worker.core.wishes import MODES, Wishes
from worker.errors import PgmendError, RecipeUndecidedError
from worker.refusing import refuse_conditions
from worker.store import catalog, migrations, sources
from worker.store.connection import Connection, Target, close, connect

EXAMPLES = """\
examples:
  pgmend attach                                      propose, as SQL, what the catalog suggests
  pgmend attach --users auth.users --profiles public.profiles
  pgmend attach --erased-when 'users.deleted_at is not null' --guard fk_orders_user_id=ensure --apply
  pgmend attach --recipe recipe.json --output attach.sql
"""


def add_parsers(commands: Commands) -> None:
    """Add ``attach``."""
    parser = commands.add_parser(
        "attach",
        help="propose how to attach an application, as SQL; --apply does it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--users", metavar="TABLE", help="the table that sign-ups land in")
    parser.add_argument("--users-key", metavar="COLUMN", help="its key; by default the primary key")
    parser.add_argument("--profiles", metavar="TABLE", help="the table that the foreign keys refer to")
    parser.add_argument("--profiles-key", metavar="COLUMN", help="its column that holds the user's key")
    _add_recipe(parser)
    parser.add_argument("--eligible-when", metavar="SQL", help="which users get a profile, over the users row")
    parser.add_argument("--erased-when", metavar="SQL", help="which users are erased, over the users row")
    parser.add_argument(
        "--guard", metavar="CONSTRAINT=MODE", type=_guard, action="append", default=[], help=f"a key's mode: {', '.join(MODES)}"
    )
    parser.add_argument("--grant", metavar="ROLE", action="append", default=[], help="let a role use the captures")
    _add_results(parser)
    parser.set_defaults(run=_attach)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument(
        "--recipe", metavar="FILE", type=_recipe, default={}, help="a JSON object, column -> SQL expression; null leaves it out"
    )
    recipe.add_argument("--recipe-function", metavar="NAME", help="the application's own function that makes a profile")


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--apply", action="store_true", help="do it, all of it or nothing")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the SQL to a file")
    parser.add_argument("--json", action="store_true", help="print the proposal as data")


def _recipe(path: str) -> dict[str, str | None]:
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path} holds no recipe: {error}") from error
    values = read.values() if isinstance(read, dict) else [False]
    if not all(value is None or (isinstance(value, str) and value.strip()) for value in values):
        raise argparse.ArgumentTypeError(f"{path} holds no recipe: it is no JSON object of column -> SQL expression or null")
    return dict(read)


def _guard(text: str) -> tuple[str, str]:
    name, equals, mode = text.rpartition("=")
    if not equals or mode not in MODES:
        raise argparse.ArgumentTypeError(f"{text} is no CONSTRAINT=MODE; the modes are {', '.join(MODES)}")
    return name, mode


def _attach(options: argparse.Namespace) -> int:
    return asyncio.run(attach(settings.load().target, options))


async def attach(target: Target, options: argparse.Namespace) -> int:
    """Propose, and apply where that was asked for."""
    connection = await connect(target)
    try:
        await migrations.require_current(connection)
        proposal, around = await _looked(connection, options)
        if options.output:
            _write(options.output, render(proposal, around))
        if options.apply:
            await _apply(connection, proposal, around)
    finally:
        await close(connection)
    _tell(proposal, around, options)
    return 0


async def _looked(connection: Connection, options: argparse.Namespace) -> tuple[Proposal, Surroundings]:
    wishes = _wishes(options)
    async with connection.transaction(readonly=True):
        seen = await catalog.read(connection)
        function = None
        if wishes.recipe_function:
            key_type = find(seen, wishes).users.key.type_name
            function = await catalog.function(connection, wishes.recipe_function, key_type)
        grants = tuple([await catalog.role(connection, name) for name in options.grant])
        proposal = propose(seen, wishes, function=function, grants=grants)
        refuse_conditions(proposal, await catalog.refused_conditions(connection, proposal))
        return proposal, await catalog.surroundings(connection, proposal)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PgmendError("the file cannot be written", detail=str(error), hint="name another: --output FILE") from error


async def _apply(connection: Connection, proposal: Proposal, around: Surroundings) -> None:
    if proposal.undecided:
        raise RecipeUndecidedError(
            "the recipe has columns that only you can decide",
            detail=", ".join(proposal.undecided),
            hint='write {"COLUMN": "SQL expression over the users row"} to a file and name it: --recipe FILE',
        )
    if not proposal.changes_nothing:
        await sources.attach(connection, body(proposal, around))


def _tell(proposal: Proposal, around: Surroundings, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(as_data(proposal, around) | {"applied": options.apply}, indent=2))
    elif options.apply:
        say((*done(proposal), told_count(around.lacking), *next_steps(around)))
    elif options.output:
        print(f"written to {options.output}; nothing was changed")
    else:
        print(render(proposal, around), end="")


def _wishes(options: argparse.Namespace) -> Wishes:
    names = ("users", "users_key", "profiles", "profiles_key", "recipe", "recipe_function", "eligible_when", "erased_when")
    return Wishes(**{name: getattr(options, name) for name in names}, guards=dict(options.guard))

"""How findings write SQL: the calls that say again what is configured, with one thing changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from worker.core.quoting import literal
from worker.core.signature import of_recipe


@dataclass(frozen=True, slots=True)
class Source:
    """A profile source as it was attached. Tables are None where they were dropped, ``key_type`` where the users' key was."""

    source_id: int
    users_table: str | None
    users_key: str
    profiles_table: str | None
    profiles_key: str
    recipe: Mapping[str, str]
    recipe_function: str | None
    eligible_when: str
    erased_when: str
    key_type: str | None

    @property
    def name(self) -> str:
        """Return how people know it."""
        return f"source {self.source_id} ({self.users_table or 'gone'} -> {self.profiles_table or 'gone'})"

    @property
    def recipe_signature(self) -> str | None:
        """Return the function that makes its profiles, with the type of its argument."""
        return of_recipe(self.recipe_function, self.key_type) if self.recipe_function else None


def attach_call(source: Source, **changes: str) -> str:
    """Return the call that attaches the source again, with columns of the recipe changed."""
    arguments = [literal(source.users_table or "…"), literal(source.profiles_table or "…")]
    recipe = {**source.recipe, **changes}
    if source.recipe_signature:
        arguments.append(f"recipe_function => {literal(source.recipe_signature)}")
    else:
        arguments.append(f"recipe => {literal(json.dumps(recipe, ensure_ascii=False))}")
    given = {
        "users_key": (source.users_key, "id"),
        "profiles_key": (source.profiles_key, "id"),
        "eligible_when": (source.eligible_when, "true"),
        "erased_when": (source.erased_when, "false"),
    }
    arguments += [f"{name} => {literal(value)}" for name, (value, default) in given.items() if value != default]
    return f"select pgmend.attach_source({', '.join(arguments)});"


def generate_call(source_id: int) -> str:
    """Return the call that makes the functions of a source anew."""
    return f"select pgmend.generate_source_functions({source_id});"

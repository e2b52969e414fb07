"""What every act works with: the database, the command, the narrator, and a clock for each act."""

import time
from dataclasses import dataclass, field

from demo.orphans.narrator import Narrator
from demo.orphans.running import Pgmend
from demo.orphans.shop import Shop
from worker.store.connection import Connection


@dataclass(slots=True)
class Scene:
    """The story's scene. ``times``: seconds of each act, in order."""

    connection: Connection
    pgmend: Pgmend
    narrator: Narrator
    shop: Shop
    times: dict[str, float] = field(default_factory=dict)
    _act: str = ""
    _since: float = field(default_factory=time.perf_counter)

    def begin(self, act: str, text: str) -> None:
        """Begin an act: a word for the figures, and a sentence for the heading."""
        self.finish()
        self._act, self._since = act, time.perf_counter()
        self.narrator.act(f"{len(self.times)}. {act}: {text}")

    def finish(self) -> None:
        """Take the time of the act that is over."""
        if self._act:
            self.times[self._act] = time.perf_counter() - self._since
        self._act = ""

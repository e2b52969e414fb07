"""A private Postgres for the demo and the tests: found, started, stopped and cleared away without an installation.

    with embedded.start() as cluster:
        connection = await asyncpg.connect(cluster.url())

Every call blocks; make them from the main thread, outside a running event loop or where a pause does no harm.
"""

from worker.embedded.binaries import Binaries, find
from worker.embedded.cluster import Cluster, start
from worker.embedded.errors import BinariesMissingError, EmbeddedError, FetchError, StartError
from worker.embedded.packages import fetch

__all__ = [
    "Binaries",
    "BinariesMissingError",
    "Cluster",
    "EmbeddedError",
    "FetchError",
    "StartError",
    "fetch",
    "find",
    "start",
]

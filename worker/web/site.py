"""A site: what the handlers of one worker's HTTP server know. The page takes it, too."""

from dataclasses import dataclass

from worker.core.readiness import Limits
from worker.log import Log
from worker.runtime.supervisor import Worker
from worker.settings import Settings
from worker.store.migrations import all_migrations
from worker.web.observatory import Observatory

_MISSED_OBSERVATIONS = 3


@dataclass(frozen=True, slots=True)
class Site:
    """One worker, and the eyes that it has on its database."""

    worker: Worker
    observatory: Observatory
    limits: Limits

    @property
    def settings(self) -> Settings:
        """Return the worker's settings."""
        return self.worker.settings

    @property
    def log(self) -> Log:
        """Return the worker's log."""
        return self.worker.log


def make_site(worker: Worker) -> Site:
    """Return the site of a worker."""
    return Site(worker, Observatory(worker), _limits(worker.settings))


def _limits(settings: Settings) -> Limits:
    a_look = settings.observe_interval_seconds + settings.observe_timeout_seconds
    return Limits(
        schema_version=all_migrations()[-1].version,
        outbox_age=settings.ready_outbox_age_seconds,
        debt_users=settings.ready_debt_users,
        debt_age=settings.ready_debt_age_seconds,
        observation_age=_MISSED_OBSERVATIONS * a_look,
        deaf_is_ready=settings.ready_when_deaf,
    )

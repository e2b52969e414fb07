"""Whether spans are wanted, and what they say."""

import pytest

from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.event import Capture, Event
from worker.core.failure import Failure
from worker.core.outcome import Done, Outcome, Result
from worker.core.span import of_express_batch, of_outcome
from worker.telemetry import is_configured

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
CAPTURE = Capture(
    referencing_table="orders",
    referencing_oid=1,
    constraint_name="fk_orders_user_id",
    row_image='{"note": "secret"}',
    writer_role="app",
    writer_claims='{"sub": "secret"}',
    waiting_for=None,
    user_seen=True,
    replayed_error_type="INSERT_REPLAYED",
    unknown_user_grace=0.0,
)
EVENT = Event(7, 1, "secret", attempts=1, age=2.0, correlation_id="secret", capture=CAPTURE)
DEADLOCK = Failure("40P01", "secret", detail="secret")
MISSING = Failure("23503", "secret", "fk_other")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "healer"}, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318"}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": " None "} | ENDPOINT, False),
        ({"OTEL_TRACES_EXPORTER": ""} | ENDPOINT, True),
        ({"OTEL_SDK_DISABLED": "True"} | ENDPOINT, False),
        ({"OTEL_SDK_DISABLED": "false"} | ENDPOINT, True),
    ],
)
def test_spans_are_wanted_where_an_exporter_or_its_address_is_named(environment: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    """Empty is unset, and switched off is off, whatever else is said."""
    assert is_configured(environment) is expected


@pytest.mark.parametrize(
    ("result", "outcome", "verdict", "error"),
    [
        (Done(healed=True, replayed=True), "replayed", "healed", None),
        (Acknowledge("erased"), "erased", "erased", None),
        (Release(1.0, DEADLOCK), "released", None, "40P01"),
        (Release(1.0, MISSING, waiting_for="an admin"), "released", None, None),
        (Release(1.0, MISSING, verdict="in_flight"), "released", "in_flight", None),
        (SetAside("refused", MISSING, "secret"), "dead_lettered", "refused", "23503"),
    ],
)
def test_span_says_outcome_and_verdict_and_is_an_error_where_something_went_wrong(
    result: Result, outcome: str, verdict: str | None, error: str | None
) -> None:
    """A row that waits is no error; what is, is known by its SQLSTATE."""
    told = of_outcome(Outcome(EVENT, result, 1.0))

    assert (told.attributes["pgmend.outcome"], told.attributes.get("pgmend.verdict"), told.error) == (outcome, verdict, error)
    assert "secret" not in str(told)


def test_span_of_a_failure_names_the_constraint_that_failed() -> None:
    """The violated key goes before the guarded one."""
    told = of_outcome(Outcome(EVENT, SetAside("refused", MISSING, "hint"), 1.0))

    assert told.attributes["pgmend.constraint"] == "fk_other"
    assert told.attributes["db.collection.name"] == "orders"
    assert told.attributes["messaging.message.id"] == "7"


@pytest.mark.parametrize(("healed", "whole", "outcome"), [(1, 0, "healed"), (0, 1, "already_whole"), (0, 0, "handed_over")])
def test_batch_of_one_says_what_became_of_its_event(healed: int, whole: int, outcome: str) -> None:
    """A sign-up is mostly alone, and then its span is as good as one of the careful lane."""
    told = of_express_batch(claimed=1, healed=healed, already_whole=whole, last_event_id=7)

    assert told.attributes["pgmend.outcome"] == outcome
    assert told.attributes["messaging.message.id"] == "7"

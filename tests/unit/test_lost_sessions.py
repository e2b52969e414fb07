"""Lost sessions: which event they are put down to."""

from worker.core.lost_sessions import LostSessions


def test_event_that_the_session_survives_is_no_suspect() -> None:
    """Nothing is remembered of it, and nobody is wary."""
    lost = LostSessions()

    lost.begins(1)
    lost.survived(1)

    assert (lost.suspects, lost.is_wary, lost.is_ended_by(1)) == ([], False, False)


def test_one_end_makes_a_suspect_and_a_second_one_tells() -> None:
    """A restart of the server ends a session under somebody, and hardly twice under the same."""
    lost = LostSessions()

    lost.begins(1)
    once = (lost.suspects, lost.is_wary, lost.is_ended_by(1))
    lost.begins(2)
    lost.survived(2)
    lost.begins(1)

    assert once == ([1], True, False)
    assert (lost.suspects, lost.is_ended_by(1)) == ([1], True)


def test_ends_count_in_a_row() -> None:
    """An event that was handled in between begins anew, and so does one that was settled."""
    lost = LostSessions(touched_by={3})

    for event_id in (1, 2):
        lost.begins(event_id)
    lost.begins(1)
    lost.survived(1)
    lost.begins(1)
    lost.begins(2)
    for event_id in (2, 3):
        lost.settled(event_id)

    assert not lost.is_ended_by(1)
    assert lost.suspects == [1]
    assert lost.touched_by == set()


def test_suspects_that_others_have_in_hand_are_forgotten() -> None:
    """None of them is looked for in every turn from then on."""
    lost = LostSessions()
    lost.begins(1)

    lost.acquit()

    assert lost.suspects == []


def test_wariness_ends_after_many_events_that_did_no_harm() -> None:
    """Events are committed one by one only as long as the next may end the session as well."""
    lost = LostSessions()
    lost.begins(0)
    survived = 0

    while lost.is_wary:
        survived += 1
        lost.begins(survived)
        lost.survived(survived)

    assert survived == 100

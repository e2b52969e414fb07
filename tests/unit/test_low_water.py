"""The low-water mark, against a model of transactions that take ids in order and commit in any order."""

from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from worker.core.low_water import IMPATIENCE, LowWaterMark, Snapshot

GAPS = st.sampled_from([0, 1, IMPATIENCE + 1])
"""How many events have come and are settled by this look, besides those that the model follows one by one."""


@dataclass
class Server:
    """The part of a server that the mark sees: transaction ids, the sequence of event ids, and which events are committed."""

    next_xid: int = 100
    latest_ended: int = 99
    last_id: int = 0
    open: dict[int, list[int]] = field(default_factory=dict)
    present: set[int] = field(default_factory=set)

    def snapshot(self) -> Snapshot:
        """Return what a statement that begins now would see: xmax follows the latest transaction that has *ended*."""
        xmax = self.latest_ended + 1
        running = frozenset(xid for xid in self.open if xid < xmax)
        return Snapshot(min(running, default=xmax), xmax, running)

    def begin(self) -> int:
        """Give out a transaction id; the ids of its events come later."""
        self.open[self.next_xid] = []
        self.next_xid += 1
        return self.next_xid - 1

    def write(self, xid: int) -> None:
        """Give an event of an open transaction its id."""
        self.last_id += 1
        self.open[xid].append(self.last_id)

    def end(self, xid: int, *, commits: bool) -> None:
        """End a transaction."""
        events = self.open.pop(xid)
        self.latest_ended = max(self.latest_ended, xid)
        if commits:
            self.present.update(events)


class MarkAgainstModel(RuleBasedStateMachine):
    """Any interleaving of writers, the looks of this worker, and the rows that another one holds."""

    @initialize()
    def start(self) -> None:
        """Begin with an idle server and a mark at zero."""
        self.server = Server()
        self.mark = LowWaterMark()
        self.held: set[int] = set()

    @rule()
    def begin(self) -> None:
        """A writer begins and inserts an event."""
        self.server.write(self.server.begin())

    @precondition(lambda self: self.server.open)
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """A writer inserts another one."""
        self.server.write(data.draw(st.sampled_from(sorted(self.server.open))))

    @precondition(lambda self: self.server.open)
    @rule(data=st.data(), commits=st.booleans(), is_held=st.booleans())
    def end(self, data: st.DataObject, *, commits: bool, is_held: bool) -> None:
        """A writer commits, perhaps into the hands of another worker, or rolls back."""
        before = set(self.server.present)
        self.server.end(data.draw(st.sampled_from(sorted(self.server.open))), commits=commits)
        if is_held:
            self.held |= self.server.present - before

    @precondition(lambda self: self.held)
    @rule(data=st.data(), acknowledges=st.booleans())
    def let_go(self, data: st.DataObject, *, acknowledges: bool) -> None:
        """The other worker acknowledges an event, or dies with it."""
        event_id = data.draw(st.sampled_from(sorted(self.held)))
        self.held.discard(event_id)
        if acknowledges:
            self.server.present.discard(event_id)

    @rule(gap=GAPS, somebody_begins=st.booleans())
    def look(self, gap: int, *, somebody_begins: bool) -> None:
        """This worker drains what it sees, and observes: the sequence is read a moment after the snapshot was taken."""
        self.server.last_id += gap
        seen = {event_id for event_id in self.server.present if event_id > self.mark.floor}
        self.server.present -= seen - self.held
        if wrote := gap > 0 or bool(seen - self.held):
            self.server.end(self.server.begin(), commits=True)
        snapshot = self.server.snapshot()
        if somebody_begins:
            self.begin()
        before = self.mark.floor
        oldest_present = min(seen & self.held, default=None)
        fell = self.mark.observe(oldest_present=oldest_present, last_id=self.server.last_id, snapshot=snapshot, wrote=wrote)
        assert fell or self.mark.floor >= before

    @invariant()
    def nothing_is_hidden_from_a_look_that_notices(self) -> None:
        """Every committed event lies above the mark as soon as the mark has seen a snapshot of now."""
        if hasattr(self, "server"):
            looking = deepcopy(self.mark)
            looking.notice(self.server.snapshot())
            assert all(event_id > looking.floor for event_id in self.server.present)


MarkAgainstModel.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
test_no_event_is_ever_hidden_below_the_mark = MarkAgainstModel.TestCase


def test_mark_rises_over_settled_events() -> None:
    """Two quiet observations later nothing below the last id is looked at again."""
    server, mark = Server(last_id=5000), LowWaterMark()

    for _ in range(3):
        mark.observe(oldest_present=None, last_id=server.last_id, snapshot=server.snapshot(), wrote=True)

    assert mark.floor == 5000


def test_mark_waits_for_a_transaction_that_may_own_a_low_id_and_falls_back_when_impatient() -> None:
    """It rises past a transaction that does not end only after many ids, and returns to below its events when it has."""
    server, mark = Server(), LowWaterMark()
    slow = server.begin()
    server.write(slow)
    for ids in (10, 20, IMPATIENCE, 2 * IMPATIENCE):
        assert mark.floor == 0
        server.end(server.begin(), commits=True)  # our own
        mark.observe(oldest_present=None, last_id=ids, snapshot=server.snapshot(), wrote=True)
    assert mark.floor > 1

    server.end(slow, commits=True)

    assert mark.observe(oldest_present=None, last_id=2 * IMPATIENCE, snapshot=server.snapshot(), wrote=False)
    assert mark.floor == 0

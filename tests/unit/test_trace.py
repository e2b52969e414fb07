"""The traceparent: what the W3C's rules accept and refuse, held against another reader of the same rules."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.core.trace import Trace, parse

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def hexadecimal(digits: int) -> st.SearchStrategy[str]:
    """Return lower-case hexadecimal numbers of so many digits, zero among them."""
    return st.one_of(st.text("0123456789abcdef", min_size=digits, max_size=digits), st.just("0" * digits))


fields = st.tuples(
    st.one_of(hexadecimal(2), st.sampled_from(["00", "01", "ff"])), hexadecimal(32), hexadecimal(16), hexadecimal(2)
)
endings = st.one_of(st.just(""), st.text(max_size=5), st.text(max_size=5).map(lambda text: f"-{text}"))


@settings(deadline=None)
@given(fields, endings)
def test_text_of_the_right_shape_is_a_trace_exactly_where_the_rules_say(four: tuple[str, str, str, str], ending: str) -> None:
    """No version ff, no id of zeros, nothing after version 00, and after any other version nothing or a dash."""
    version, trace_id, span_id, flags = four
    is_right = version != "ff" and int(trace_id, 16) > 0 and int(span_id, 16) > 0
    is_right = is_right and (ending == "" or (ending[0] == "-" and version != "00"))

    expected = Trace(trace_id, span_id, is_sampled=int(flags, 16) % 2 == 1) if is_right else None
    assert parse("-".join(four) + ending) == expected


strange = st.one_of(
    st.sampled_from("ABCDEFgx \t\n\r\0_\u0663\uff11"),
    st.characters().filter(lambda character: character not in string.hexdigits.lower() + "-"),
)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=len(TRACEPARENT) - 1), strange)
def test_no_other_character_is_accepted_anywhere(place: int, character: str) -> None:
    """Upper case, digits of other scripts, blanks and ends of lines in one of the four fields make it no traceparent."""
    assert parse(TRACEPARENT[:place] + character + TRACEPARENT[place + 1 :]) is None


@settings(deadline=None)
@given(st.text())
def test_text_that_is_found_to_be_a_trace_begins_with_its_ids(text: str) -> None:
    """Whatever is given, nothing is raised, and no id is made up."""
    found = parse(text)
    assert found is None or text[3:52] == f"{found.trace_id}-{found.span_id}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "request-7",
        TRACEPARENT.upper(),
        f" {TRACEPARENT}",
        f"{TRACEPARENT} ",
        f"{TRACEPARENT}\n",
        f"{TRACEPARENT}-",
        TRACEPARENT[:-1],
        TRACEPARENT.replace("-", "_"),
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"01-{TRACE_ID}-{SPAN_ID}-01.more",
        TRACEPARENT * 20_000,
    ],
)
def test_almost_a_traceparent_is_none(text: str) -> None:
    """What a careless or a hostile application sends instead."""
    assert parse(text) is None


@pytest.mark.parametrize("text", [f"01-{TRACE_ID}-{SPAN_ID}-01", f"cc-{TRACE_ID}-{SPAN_ID}-ff-what-the-future-will-be-like"])
def test_version_of_the_future_is_read_as_far_as_it_is_known(text: str) -> None:
    """Its first four fields are ours, and of its flags the first."""
    assert parse(text) == Trace(TRACE_ID, SPAN_ID, is_sampled=True)


def test_missing_text_is_no_trace() -> None:
    """An event without correlation id belongs to no trace."""
    assert parse(None) is None

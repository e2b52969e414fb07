"""Quoting: whatever a name or a value holds, a literal ends where it should, and so does a comment."""

import pytest

from worker.core.quoting import dollar_quoted, literal, remark


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("", "''"),
        ("it's", "'it''s'"),
        ('100 % "x"', "'100 % \"x\"'"),
        ("C:\\new", "E'C:\\\\new'"),
        ("\\'; drop table x; --", "E'\\\\''; drop table x; --'"),
        ("two\nlines", "'two\nlines'"),
    ],
)
def test_literal_ends_where_it_should(value: str, quoted: str) -> None:
    """Quotes are doubled, and a backslash makes an escape string, which every setting reads alike."""
    assert literal(value) == quoted


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("{}", "$recipe${}$recipe$"),
        ("$recipe$", "$recipe1$$recipe$$recipe1$"),
        ("$recipe", "$recipe1$$recipe$recipe1$"),
        ("$recipe$ $recipe1$", "$recipe2$$recipe$ $recipe1$$recipe2$"),
    ],
)
def test_dollar_quotes_take_a_tag_that_the_value_does_not_hold(value: str, quoted: str) -> None:
    """A value that names the tag gets another."""
    assert dollar_quoted(value, "recipe") == quoted


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a reason", "-- a reason"),
        ("", "--"),
        ("a\n; drop table x", "-- a\\n; drop table x"),
        ("a\r\u2028b\x00c", "-- a\\r\\u2028b\\x00c"),
        ("schön", "-- schön"),
    ],
)
def test_comment_is_one_line(text: str, line: str) -> None:
    """Nothing in a name or a default can end the comment and become SQL."""
    assert remark(text) == line

"""Columns of every kind, and values for them: as an application would hand them over, in JSON."""

import json
from dataclasses import dataclass

from hypothesis import strategies as st

TYPES = """
    create schema "Odd Schema";
    create type "Odd Schema"."Mood" as enum ('so, so', 'O''Neil "N"', '');
    create type "Odd Schema".pair as (a int, b text);
    create type "Odd Schema".nest as (p "Odd Schema".pair, ps "Odd Schema".pair[], at timestamptz);
    create type "Odd Schema".words as range (subtype = text, collation = "C");
    create function "Odd Schema".shout("Odd Schema"."Mood") returns text language sql immutable as $$ select 'loud' $$;
    create cast ("Odd Schema"."Mood" as text) with function "Odd Schema".shout("Odd Schema"."Mood");
    create domain "Odd Schema".few as int[] check (cardinality(value) < 9);
    create domain "Odd Schema".code as char(4);
    create domain "Odd Schema".sized as "Odd Schema".pair check ((value).a is null or (value).a > -9);
"""
STYLES = {
    "datestyle": ["ISO, DMY", "German", "SQL, MDY", "SQL, DMY", "Postgres, YMD"],
    "intervalstyle": ["postgres", "postgres_verbose", "sql_standard", "iso_8601"],
    "timezone": ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Europe/Dublin"],
    "extra_float_digits": ["-15", "0", "1", "3"],
    "bytea_output": ["hex", "escape"],
    "standard_conforming_strings": ["on", "off"],
    "xmloption": ["content", "document"],
}
"""Settings under which values are read and printed, each with what a session may have chosen."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of column as SQL, and a strategy for its values."""

    sql: str
    values: st.SearchStrategy[object]


def _one_of(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from(values)


def _array(items: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(st.none() | items, max_size=4)


def _some(text: str, **parts: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries(parts).map(lambda chosen: text.format(**chosen))


integers = st.integers(-(2**31), 2**31 - 1)
small = st.integers(-99, 99)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8) | _one_of(
    "NULL", "null", "", " ", "\\", "a,b}"
)
letters = st.text("abc, \"'\\(){}", max_size=4)
floats = st.floats().map(repr) | _one_of("-0", "5e-324", "1e-400".replace("400", "300"))
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str) | _one_of(
    "NaN", "Infinity", "-Infinity", "0.000", "-0.00", "1.10", "9" * 200 + "." + "0" * 60, 1.5, 10**20
)
dates = st.dates().map(str) | _one_of("infinity", "-infinity", "0044-03-15 BC", "5874897-12-31", "4713-01-01 BC")
offsets = _one_of("", "Z", "+05:30", "-11:45:30", " America/New_York")
moments = _some("{at}{offset}", at=st.datetimes().map(str), offset=offsets) | _one_of(
    "infinity", "-infinity", "0044-03-15 12:00:00 BC", "1883-11-18 12:03:58", "2025-10-26 02:30:00", "100000-01-01 00:00:00"
)
intervals = _some(
    "{years} years {months} mons {days} days {hours} hours {seconds} seconds",
    years=small,
    months=small,
    days=small,
    hours=small,
    seconds=st.decimals(-999, 999, places=6),
) | _one_of("-0.000001 s", "1 mon -1 day", "-178000000 years", "178000000 years", "-1 year 1 mon", "2147483647 days -1 us", "0")
pairs = st.fixed_dictionaries({"a": st.none() | small.filter(lambda a: a > -9), "b": st.none() | texts})
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
shaped_arrays = _one_of(
    "[2:4]={7,NULL,9}", "[0:1][-2:-1]={{1,2},{3,4}}", "{{{1},{2}},{{3},{NULL}}}", "[-5:-5]={0}", "{}", [[1, 2], [3, None]], []
)
spans = _one_of("empty", "[1,5)", "(1,5]", "(,)", "[,7]", "[3,)", "[0,0]")
shapes = _one_of("-0", "NaN", "1e-7", "0.1", "Infinity").map(lambda x: f"({x},2)")

KINDS = {
    "flag": Kind("boolean", st.booleans()),
    "whole": Kind("int", integers),
    "large": Kind("bigint", st.integers(-(2**63), 2**63 - 1)),
    "f8": Kind("float8", floats),
    "f4": Kind("float4", st.floats(width=32).map(repr) | _one_of("-0", "1e-45")),
    "n": Kind("numeric", decimals),
    "n_scaled": Kind("numeric(30, 4)", st.decimals(-(10**20), 10**20, places=6).map(str)),
    "price": Kind("money", st.decimals(-(10**10), 10**10, places=2).map(str)),
    "words": Kind("text", texts),
    "padded": Kind("char(8)", texts),
    "loose": Kind("bpchar", texts.map(lambda text: f"{text}  ")),
    "narrow": Kind("varchar(8)", texts),
    "named": Kind("name", texts),
    "one": Kind('"char"', st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=1)),
    "raw": Kind("bytea", st.binary(max_size=9).map(lambda raw: f"\\x{raw.hex()}") | _one_of("\\000\\377a", "a\\\\b")),
    "bits": Kind("bit(3)", _one_of("101", "000")),
    "more_bits": Kind("varbit", st.text("01", max_size=12)),
    "day": Kind("date", dates),
    "at": Kind("timestamptz", moments),
    "at_whole": Kind("timestamptz(0)", moments),
    "at_local": Kind("timestamp", moments),
    "clock": Kind("time", st.times().map(str) | _one_of("24:00:00")),
    "clock_there": Kind("timetz", _some("{at}{offset}", at=st.times().map(str), offset=_one_of("Z", "+05:30", "-11:45:30"))),
    "lasts": Kind("interval", intervals),
    "lasts_days": Kind("interval day to second(2)", intervals),
    "numbers": Kind("int[]", _array(integers) | shaped_arrays),
    "labels": Kind("text[]", _array(texts)),
    "fours": Kind("char(4)[]", _array(_one_of("ab", "", "a  b"))),
    "times": Kind("timestamptz[]", _array(moments)),
    "docs": Kind("jsonb[]", _array(_one_of("null", '{"a": [1.10]}', '"x"'))),
    "pairs": Kind('"Odd Schema".pair[]', _array(pairs)),
    "spans": Kind("int4range[]", _array(spans)),
    "span": Kind("int8range", spans),
    "in_words": Kind('"Odd Schema".words', _one_of('["a,b","c]d"]', "empty", '("",)', '["\\"","z")')),
    "during": Kind("tstzrange", _some('["{a}","{b}"]', a=st.dates().map(str), b=_one_of("infinity", "9999-12-31 10:00+01"))),
    "many_spans": Kind("int4multirange", _one_of("{}", "{[1,3),[5,9]}", "{(,)}")),
    "mood": Kind('"Odd Schema"."Mood"', _one_of("so, so", 'O\'Neil "N"', "")),
    "few": Kind('"Odd Schema".few', _array(integers) | shaped_arrays),
    "code": Kind('"Odd Schema".code', _one_of("", "a", " ab")),
    "pair": Kind('"Odd Schema".pair', pairs | _one_of({"a": None, "b": None}, {}, "(,)", '(1,"")')),
    "sized": Kind('"Odd Schema".sized', pairs),
    "nest": Kind(
        '"Odd Schema".nest',
        st.fixed_dictionaries({}, optional={"p": st.none() | pairs, "ps": _array(pairs), "at": st.none() | moments}),
    ),
    "doc": Kind("jsonb", json_values),
    "text_doc": Kind("json", json_values),
    "path": Kind("jsonpath", _one_of('$."a b"[*] ? (@ > 1)', "strict $.a")),
    "spot": Kind("point", shapes),
    "ring": Kind("polygon", _one_of("((0,0.1),(1,1e-7),(-0,NaN))")),
    "round": Kind("circle", _one_of("<(0.1,2),1e-7>")),
    "address": Kind("inet", _one_of("10.0.0.1", "10.0.0.1/8", "::1", "2001:db8::/64")),
    "network": Kind("cidr", _one_of("10.0.0.0/8", "10.0.0.1/32")),
    "card": Kind("macaddr8", _one_of("08:00:2b:01:02:03:04:05")),
    "id_of": Kind("uuid", st.uuids().map(str)),
    "found": Kind("tsvector", _one_of("'a b':1A,2 'it''s':3", "")),
    "query": Kind("tsquery", _one_of("'a b' & !c:*A", "a <-> b")),
    "position": Kind("pg_lsn", _one_of("16/B374D848")),
    "relation": Kind("regclass", _one_of("public.orders", "pg_class", None)),
    "row_type": Kind("regtype", _one_of('"Odd Schema".pair', "int4")),
    "store": Kind("public.hstore", _one_of('"a b"=>"NULL", c=>NULL', "")),
    '"Quoted, Name"': Kind("text", letters),
}
"""A column for each kind of type, by its name."""

WITH_DEFAULTS = {"words": "'default'", "whole": "7", "doc": "'{}'"}


def columns() -> str:
    """Return the columns as in ``create table``."""
    return ", ".join(
        f"{name} {kind.sql}" + (f" default {WITH_DEFAULTS[name]}" if name in WITH_DEFAULTS else "")
        for name, kind in KINDS.items()
    )


_values = {name.strip('"'): st.none() | kind.values for name, kind in KINDS.items()}
rows = st.fixed_dictionaries({}, optional=_values).map(json.dumps)
"""Rows that give some of the columns, null among their values."""

styles = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in STYLES.items()}).map(
    lambda chosen: "; ".join(f"set {name} = '{value}'" for name, value in chosen.items())
)
"""What a session may have set, as SQL."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A row as JSON, and what the sessions of its writer and of the worker have set."""

    row: str
    writers_style: str
    workers_style: str


trials = st.builds(Trial, row=rows, writers_style=styles, workers_style=styles)

"""References inside a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbrouter.config.references import BadReferenceError, expand

ENVIRON = {"NAME": "value", "EMPTY": "", "TRICKY": "${NAME} $${ }"}


def _file(name: str) -> str:
    return {"secret": "hunter2\n", "crlf": "hunter2\r\n", "lines": "a\nb\n\n", "value": "by name"}[name]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${NAME}", "value"),
        ("a${NAME}b${NAME}c", "avaluebvaluec"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${MISSING:-default}", "default"),
        ("${MISSING:-}", ""),
        ("${NAME:-default}", "value"),
        ("${MISSING:-${NAME}}", "value"),
        ("${MISSING:-a${ALSO:-b${NAME}c}d}", "abvaluecd"),
        ("${MISSING:-a:-b}", "a:-b"),
        ("${TRICKY}", "${NAME} $${ }"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$NAME {NAME} $ } {", "$NAME {NAME} $ } {"),
        ("${file:secret}", "hunter2"),
        ("${file:crlf}", "hunter2"),
        ("${file:lines}", "a\nb\n"),
        ("${file:${NAME}}", "by name"),
        ("${file:${MISSING:-secret}}!", "hunter2!"),
    ],
)
def test_a_reference_is_replaced(text: str, meant: str) -> None:
    assert expand(text, ENVIRON, _file) == meant


@pytest.mark.parametrize("text", ["${", "${NAME", "a${MISSING:-${NAME}", "${}", "${1}", "${A B}", "${:-x}", "${file:}"])
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(BadReferenceError):
        expand(text, ENVIRON, _file)


def test_a_missing_variable_is_refused() -> None:
    with pytest.raises(BadReferenceError) as caught:
        expand("x${MISSING}", ENVIRON, _file)
    assert caught.value.what == "the variable MISSING is not set"


@given(st.text())
def test_text_without_references_stays_as_it_is(text: str) -> None:
    plain = text.replace("${", "$ {")
    assert expand(plain, {}, _file) == plain


@given(st.text())
def test_an_escaped_text_means_the_text(text: str) -> None:
    # A `$` right before `${` would itself read as an escape.
    plain = text.replace("$", "#") + "${NAME}" + text.replace("$", "#")
    assert expand(plain.replace("${", "$${"), {}, _file) == plain


@given(st.text(), st.text(), st.text())
def test_a_value_comes_out_as_it_is_and_is_not_searched_again(before: str, value: str, after: str) -> None:
    before, after = before.replace("$", ""), after.replace("$", "")
    assert expand(f"{before}${{V}}{after}", {"V": value}, _file) == before + value + after


@given(st.text(alphabet="${}:-ANV fileo\n"))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    try:
        expand(text, {"A": "x", "V": ""}, lambda _: "y")
    except BadReferenceError as refused:
        assert refused.what  # noqa: PT017 - the refusal is one of two right answers
        assert refused.do  # noqa: PT017

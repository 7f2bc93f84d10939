"""Families of samples as text."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from ticklane.dashboard import Family, Labels, render

TEXT = st.text(st.characters(exclude_categories=("Cs",)))


@given(st.dictionaries(st.sampled_from(["exchange", "symbol"]), TEXT), st.floats(allow_nan=False))
def test_any_label_and_any_value_is_read_as_it_was(labels: dict[str, str], value: float) -> None:
    page = render([Family("x", "gauge", "What it is.", [("x", Labels(**labels), value)])])
    (family,) = text_string_to_metric_families(page)

    assert (family.name, family.type, family.documentation) == ("x", "gauge", "What it is.")
    assert [(each.labels, each.value) for each in family.samples] == [(labels, value)]


def test_labels_with_a_reason_are_made_once() -> None:
    labels = Labels(exchange="upbit")

    assert labels.because("expired") is labels.because("expired")
    assert labels.because("expired").text == '{exchange="upbit",reason="expired"}'

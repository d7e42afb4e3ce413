"""A parameter that there is not is named where it enters, with the one meant."""

import numpy as np
import pytest

import regard
from regard import layers
from regard.arguments import check_names
from regard.reports import write_report


def known(path, *, title="", **more):
    """Hands the rest on."""


def callee(*, language="en", names=()):
    """Takes the rest."""


@pytest.mark.parametrize(
    ("name", "hint"), [("titel", "'title'"), ("langauge", "'language'")]
)
def test_the_nearest_one_is_suggested(name, hint):
    with pytest.raises(TypeError) as raised:
        check_names(known, [name], callee)
    assert str(raised.value) == (
        f"known has no parameter {name!r}. Did you mean {hint}? "
        "It takes path, title, language, names."
    )


def test_where_none_is_near_all_are_named():
    with pytest.raises(TypeError, match=r"'xyz'\. It takes path, title"):
        check_names(known, ["xyz"], callee)


def test_what_is_known_or_taken_by_any_name_passes():
    check_names(known, ["title", "names"], callee)
    check_names(known, ["training"], callee, also=("training",))
    check_names(known, ["anything"], known)


X = np.ones((1, 2, 4), "float32")


@pytest.mark.parametrize("function", [regard.explain, regard.explain_page])
def test_explanations_name_it(function, tmp_path):
    layer = layers.MultiHeadAttention(2, 4)
    more = {} if function is regard.explain else {"path": tmp_path / "page.html"}
    with pytest.raises(TypeError, match=r"'use_causal_maks'.*'use_causal_mask'\?"):
        function(layer, X, use_causal_maks=True, **more)
    trace = layer.trace(X)
    with pytest.raises(TypeError, match=r"'langauge'.*'language'\?"):
        function(trace, langauge="ru", **more)
    function(layer, X, use_causal_mask=True, training=False, **more)
    assert not more or more["path"].is_file()


def test_the_report_names_it(tmp_path):
    with pytest.raises(TypeError, match=r"^report has no .*'titel'.*'title'\?"):
        regard.report(None, path=tmp_path / "report.html", titel="Dates")
    with pytest.raises(TypeError, match=r"^write_report has no .*'titel'.*'title'\?"):
        write_report([], tmp_path / "report.html", titel="Dates")


def test_a_diagnosis_names_it_with_labels_or_without():
    for labels in (None, [0]):
        with pytest.raises(TypeError, match=r"'permutation'.*'permutations'\?"):
            regard.diagnose(None, X, labels, permutation=5)

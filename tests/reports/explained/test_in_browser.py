"""The page of an explanation in a real browser."""

import html
import re

import keras
import numpy as np
import pytest

import regard
from regard import layers, positions
from regard.cards.mathml import mathml
from regard.seeing.steps.explain import work_out
from tests.reports.axe import needs_axe, violations
from tests.reports.browser import needs_browser
from tests.reports.examples import NASTY

pytestmark = needs_browser


@pytest.fixture(scope="module")
def trace():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(1, 5, 6)).astype("float32")
    return layers.MultiHeadAttention(2, 4).trace(x, use_causal_mask=True)


@pytest.fixture
def ask(browser, answer, trace, tmp_path):
    """Open the page at a place, evaluate JavaScript in it; what the console said."""

    def run(script, place="", **options):
        path = regard.explain_page(trace, path=tmp_path / "page.html", **options)
        browser.open(path, place)
        found = answer(script)
        return found, browser.named(
            "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"
        )

    return run


def test_the_first_view_is_that_of_explain(ask, trace):
    (title, sentence, check), spoken = ask(
        'return [$("step-title").textContent, $("sentence").textContent, '
        '$("check").textContent];',
        place="e=0&h=1&q=2&step=3",
    )
    step = regard.explain(trace, query=2, head=1)[3]
    assert title == f"4. {step.title}"
    assert sentence == step.sentence
    assert check.startswith("agrees with the layer")
    assert spoken == []


def test_keys_go_through_all_steps(ask, trace):
    seen, _ = ask(
        "const seen = [];"
        "const type = (key) => document.body.dispatchEvent("
        '  new KeyboardEvent("keydown", { key, bubbles: true }));'
        "for (let n = 0; n < 20; n += 1) {"
        ' seen.push($("step-title").textContent);'
        ' type("ArrowRight");'
        "}"
        ' type("1");'
        ' return [seen, $("step-title").textContent];'
    )
    titles = [each.title for each in regard.explain(trace)]
    assert [each.split(". ", 1)[1] for each in seen[0][: len(titles)]] == titles
    assert seen[1] == f"1. {titles[0]}"


def test_what_if_follows_softmax(ask, trace):
    answer, _ = ask(
        'const after = () => [...document.querySelectorAll("#keys tr")]'
        '.map((row) => Number(row.querySelectorAll("td.number")[1].textContent));'
        "const plain = after();"
        '$("temperature").value = "1"; $("temperature").oninput();'
        "const warm = after();"
        '$("reset").click(); $("scale").click(); const unscaled = after();'
        '$("reset").click(); document.querySelectorAll("#keys input")[0].click();'
        'return [plain, warm, unscaled, after(), $("norm").textContent];',
        place="e=0&h=0&q=3",
    )
    scores, weights = trace.scores[0, 0, 3, :4], trace.weights[0, 0, 3, :4]

    def softmax(x):
        return np.append(np.exp(x) / np.exp(x).sum(), 0.0)

    plain, warm, unscaled, hidden, norm = answer
    np.testing.assert_allclose(plain[:4], weights, rtol=1e-2)
    np.testing.assert_allclose(warm, softmax(scores / np.e), rtol=1e-2)
    np.testing.assert_allclose(unscaled, softmax(scores * 2), rtol=1e-2)
    expected = softmax(np.append(-np.inf, scores[1:]))
    np.testing.assert_allclose(hidden, expected, rtol=1e-2)
    length = np.linalg.norm(expected[:4] @ trace.value[0, 0, :4])
    assert float(norm.split()[-1]) == pytest.approx(length, rel=1e-2)


def test_two_keys_exchange_their_vectors(ask, trace):
    weights = trace.weights[0, 1, 3]
    one, other = int(weights[:4].argmin()), int(weights[:4].argmax())
    answer, spoken = ask(
        "const choose = (id, value) => {"
        " $(id).value = value; $(id).dispatchEvent(new Event('change')); };"
        'const after = () => [...document.querySelectorAll("#keys tr")]'
        '.map((row) => Number(row.querySelectorAll("td.number")[1].textContent));'
        f'choose("swap-one", "{one}"); const half = after();'
        f'choose("swap-other", "{other}");'
        "const swapped = after();"
        f'const {{ cells }} = $("keys").rows[{one}];'
        'const told = [$("norm").textContent, cells[0].textContent];'
        '$("scale").click(); const unscaled = after();'
        '$("reset").click();'
        'return [half, swapped, told, unscaled, after(), $("swap-one").value];',
        place="e=0&h=1&q=3",
        key_tokens=list("abcde"),
    )
    half, swapped, (norm, name), unscaled, back, chosen = answer
    query, key = trace.query[0, 1, 3], trace.key[0, 1].copy()
    key[[one, other]] = key[[other, one]]

    def weights_of(scores):
        powers = np.exp(scores - scores.max())
        return np.append(powers / powers.sum(), 0.0)

    expected = weights_of(key[:4] @ query / 2)
    np.testing.assert_allclose(half, weights, rtol=1e-2)
    np.testing.assert_allclose(swapped, expected, rtol=1e-2)
    assert swapped[one] > 1.1 * weights[one] and weights[other] > 1.1 * swapped[other]
    length = np.linalg.norm(expected @ trace.value[0, 1])
    assert float(norm.split()[-1]) == pytest.approx(length, rel=1e-2)
    assert name == f"{'abcde'[one]} with the k of \u2068{'abcde'[other]}\u2069"
    np.testing.assert_allclose(unscaled, weights_of(key[:4] @ query), rtol=1e-2)
    np.testing.assert_allclose(back, weights, rtol=1e-2)
    assert chosen == "-1"
    assert spoken == []


def test_scores_with_a_place_of_their_own_are_not_exchanged(tmp_path):
    x = np.random.default_rng(1).normal(size=(1, 4, 6)).astype("float32")
    for position, may in ((None, True), (positions.ShawRelative(2), False)):
        layer = layers.MultiHeadAttention(2, 4, position=position)
        worked = work_out(layer.trace(x), query=1)
        assert worked.keys_may_change_places() is may


def test_the_page_writes_russian_numbers_as_explain_does(ask, trace):
    seen, _ = ask(
        "const seen = [];"
        "for (let n = 0; n < steps().length; n += 1) {"
        " choose({ step: n });"
        ' const signs = [...$("numbers").querySelectorAll("mn, mo")];'
        " seen.push([signs.map((each) => each.textContent),"
        ' $("check").textContent, $("bars").textContent]);'
        "}"
        'return [seen, $("counted").textContent, shown(-0.000123), shown(1234567)];',
        place="e=0&h=1&q=3",
        language="ru",
    )
    told, counted, small, large = seen
    steps = regard.explain(trace, query=3, head=1, language="ru")
    for step, (signs, check, bars) in zip(steps, told, strict=True):
        wanted = mathml(step.numbers) if step.numbers else ""
        assert signs == [
            html.unescape(each)
            for each in re.findall(r"<m[no][^>]*>(.*?)</m[no]>", wanted)
        ]
        if step.check:
            assert check == step.check.text("ru")
        assert not re.search(r"\d\.\d", bars)
    assert any(";" in signs for signs, _, _ in told)
    assert counted == steps.summary()
    assert (small, large) == ("−1,23·10⁻⁴", "1,23·10⁶")


def test_nothing_is_asked_of_the_network_and_nothing_runs(ask):
    (tags, requests), spoken = ask(
        'return [document.querySelectorAll("img, main script").length,'
        ' performance.getEntriesByType("resource").length];',
        query_tokens=NASTY[:5],
        key_tokens=NASTY[5:10],
    )
    assert tags == 0
    assert requests == 0
    assert spoken == []


@needs_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it(browser, trace, tmp_path, dark):
    path = regard.explain_page(trace, path=tmp_path / "page.html")
    for place in ("step=0", "step=3", "h=1&q=4&step=9"):
        browser.open(path, place, dark=dark)
        assert violations(browser) == [], place

"""Equations as MathML."""

from xml.etree import ElementTree

import pytest

from regard.cards import cards
from regard.cards.mathml import mathml

MINUS = '<mo form="prefix" lspace="0" rspace="0">−</mo>'


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("q_i", "<msub><mi>q</mi><mi>i</mi></msub>"),
        ("2^{-5}", f"<msup><mn>2</mn><mrow>{MINUS}<mn>5</mn></mrow></msup>"),
        (r"\frac{1}{\sqrt{d}}", "<mfrac><mn>1</mn><msqrt><mi>d</mi></msqrt></mfrac>"),
        (r"k_j^\top", "<msubsup><mi>k</mi><mi>j</mi><mo>⊤</mo></msubsup>"),
        (r"\mathrm{query kernel}", "<mtext>query kernel</mtext>"),
        ("a-b", "<mrow><mi>a</mi><mo>−</mo><mi>b</mi></mrow>"),
        ("a < b", "<mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow>"),
    ],
)
def test_small_equations(latex, expected):
    assert mathml(latex) == f'<math displaystyle="true">{expected}</math>'


def test_an_unknown_command():
    with pytest.raises(ValueError, match=r"commands that equations\.py knows"):
        mathml(r"\unknown")


def test_every_equation_is_well_formed():
    for each in cards():
        for latex in (each.equation, *(step.formula for step in each.steps)):
            if latex:
                assert ElementTree.fromstring(mathml(latex)).tag == "math", latex

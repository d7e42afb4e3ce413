"""The cards' Russian: one word for a thing, no foreign words, proper typesetting."""

import re

import pytest

from regard.cards import card, glossary, names
from regard.cards.typography import SPACE, formula_in, numeral, russian

# Names that Russian texts leave in Latin letters.
NAMES = {"ReLU", "RoPE", "ALiBi", "T5", "Keras", "Llama", "NaN", "True", "Softmax"}
NAMES |= {"Entmax", "entmax", "Softpick", "Sparsemax", "float32", "Tacotron"}
NAMES |= {"Autoformer", "TFT", "DCN", "TPA", "LSTM", "LAS", "DA", "RNN"}
NAMES |= {"HAN", "MAB", "SAB", "ISAB", "PMA", "Perceiver", "IO"}
NAMES |= {"ConvS2S", "BiDAF", "Normmax", "softmax"}
NAMES |= {"GQA", "MQA", "MLA", "Qwen3", "Gemma", "DeepSeek", "YaRN"}
NAMES |= {"RetNet", "Mamba", "Gated", "DeltaNet", "Kimi", "Delta"}
# Functions and symbols of formulas, and arguments of code within them.
SYMBOLS = {"tanh", "exp", "log", "ln", "vᵀWq", "qᵀk", "Dq", "Dk", "Dv", "AᵀB", "W_c"}
SYMBOLS |= {"units", "offset", "right", "left", "length", "scale", "learn_scale"}
SYMBOLS |= {"learn_alpha", "power", "epsilon", "maximum_length", "key_dim", "buckets"}
SYMBOLS |= {"A_h", "W_V", "W_O", "W_b", "H_v", "x_k", "b_t", "h_i", "h_t", "filters"}
SYMBOLS |= {"hops", "W_c", "AAᵀ"}
SYMBOLS |= {"Wh", "Dh", "vᵀk", "z_j"}
SYMBOLS |= {"W_1", "W_2", "W_o", "w_g"}
NAMES |= {"CopyNet", "LSTM"}
SYMBOLS |= {"M_v", "tying", "slots", "updates", "neighbours"}
SYMBOLS |= {"Dout", "Wx", "Aq", "Bk", "Q_h", "K_h", "max", "budget"}
SYMBOLS |= {"Sᵀk", "capacity"}
# Models that position schemes and scopes are named after.
NAMES |= {
    "Transformer",
    "XL",
    "DeBERTa",
    "Swin",
    "V2",
    "Longformer",
    "BigBird",
    "xPos",
    "BERT",
    "GPT",
}


NAMES |= {"Performer", "FAVOR", "Based", "cosFormer", "KERPLE", "FIRE"}
SYMBOLS |= {"cos", "sin", "vᵀ"}
SYMBOLS |= {"softmax", "MoChA", "GMM", "GNMT"}
SYMBOLS |= {"Dout", "Wx", "Aq", "Bk", "Q_h", "K_h", "max"}
NAMES |= {"Performer", "FAVOR", "Based", "cosFormer", "Linformer", "Informer"}
NAMES |= {"AFT", "simple", "full", "Nystromformer", "ProbSparse", "Reformer"}
SYMBOLS |= {"cos", "sin", "vᵀ", "rows", "Q_m", "K_m"}


def russian_texts(name: str) -> str:
    text = card(name).text("ru")
    fields = (value for key, value in vars(text).items() if key != "equals")
    return "\n".join([*fields, *text.equals])


@pytest.mark.parametrize("name", names())
def test_a_thing_has_one_word(name):
    told = [line for step in card(name).steps for line in step.words.get("ru", ())]
    words = "\n".join([russian_texts(name), *told])
    second = [
        f"{term.ru}: {found.group()}"
        for term in glossary()
        for pattern in term.never
        if (found := re.search(pattern, words, re.IGNORECASE))
    ]
    assert second == []


@pytest.mark.parametrize("name", names())
def test_russian_text_has_no_english_words(name):
    words = re.sub(r"`[^`]+`", "", russian_texts(name))
    found = set(re.findall(r"[A-Za-z][A-Za-z0-9_ᵀ]*[A-Za-z0-9ᵀ]", words))
    found = {word for word in found if not re.fullmatch(r"[A-Za-z]_\w+", word)}
    assert {word for word in found if word not in NAMES | SYMBOLS} == set()


@pytest.mark.parametrize("name", names())
def test_russian_text_is_set_as_russian(name):
    words = russian_texts(name)
    prose = re.sub(r"`[^`]+`", "", words)
    assert not re.search(r'["“”„]| - | -- |\.\.\.', prose)  # «», —, …
    assert not re.search(r"[^\S\u00a0\n]—", words)  # the dash keeps to its word
    assert not re.search(r"(?i)(?<![\w-])[авикосу] ", words)  # and so do short words
    assert prose.count("«") == prose.count("»")


@pytest.mark.parametrize("name", names())
def test_yo_is_written(name):
    bare = r"(?i)\b(ее|еще|все-таки|нее|моем|твоем|своем|чье|идет|учтет|дает|берет|"
    bare += r"берется|остается|найдет|найденн?о?е? еще|надежн\w*|перекрестн\w*|слоев|"
    bare += r"трех|четырех|счет\w*|жестк\w*|четк\w*|длинн?ее ее|ведет|заберет)\b"
    assert re.search(bare, russian_texts(name)) is None


def test_glossary_words_are_distinct():
    for language in ("en", "ru"):
        words = [getattr(term, language) for term in glossary()]
        assert len(words) == len(set(words))


def test_glossary_does_not_forbid_its_own_words():
    for term in glossary():
        for other in glossary():
            for pattern in other.never:
                assert not re.search(pattern, term.ru, re.IGNORECASE)


def test_spaces_at_which_no_line_breaks():
    assert russian("ключ — в памяти") == f"ключ{SPACE}— в{SPACE}памяти"
    assert russian("не больше 64 ключей") == f"не{SPACE}больше 64{SPACE}ключей"
    assert russian("при D = 1") == f"при{SPACE}D{SPACE}={SPACE}1"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-3.9e-06", "−3,9·10⁻⁶"),
        ("2.0e+05", "2,0·10⁵"),
        ("0.0e+00", "0"),
        ("3.0e+00", "3,0"),
        ("0.5 [0.4; 0.6], n = 3.", "0,5 [0,4; 0,6], n = 3."),
    ],
)
def test_numbers_of_a_russian_text(text, wanted):
    assert numeral(text, "ru") == wanted
    assert numeral(text, "en") == text


def test_lists_in_a_russian_formula():
    latex = r"(0.1, -2, \dots) \, 3"
    assert formula_in(latex, "ru") == r"(0{,}1; -2; \dots) \, 3"
    assert formula_in(latex, "en") == latex
    assert formula_in("(0, 1)", "ru") == "(0, 1)"

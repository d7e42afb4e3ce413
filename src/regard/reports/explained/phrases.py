"""The words of the page around the steps, in both languages."""

from __future__ import annotations

from regard.seeing.steps.phrases import PHRASES as BESIDE_STEPS

PHRASES = {
    "exact": {"en": "Numbers", "ru": "Числа"},
    "theme": {"en": "Light or dark", "ru": "Светлая или тёмная"},
    "row": {"en": "Which query", "ru": "Какой запрос"},
    "head_label": {"en": "Head", "ru": "Голова"},
    "example_label": {"en": "Example", "ru": "Пример"},
    "way": {"en": "The way to the answer", "ru": "Путь к ответу"},
    "previous": {"en": "Previous", "ru": "Назад"},
    "next": {"en": "Next", "ru": "Вперёд"},
    "play": {"en": "Play", "ru": "Проиграть"},
    "pause": {"en": "Pause", "ru": "Пауза"},
    "formula": {"en": "Formula", "ru": "Формула"},
    "numbers": {"en": "The formula with numbers", "ru": "Формула с числами"},
    **{key: BESIDE_STEPS[key] for key in ("for", "shapes")},
    "no_check": {
        "en": "an intermediate number: the layer keeps none to compare with",
        "ru": "промежуточное число: слой его не хранит, сравнить не с чем",
    },
    "more": {"en": "and {n} more", "ru": "и ещё {n}"},
    "terms": {
        "en": "What this score is the sum of: the largest and the smallest terms",
        "ru": "Из чего сложилась эта оценка: самые большие и самые малые слагаемые",
    },
    "own_key": {"en": "the layer's own", "ru": "собственный ключ слоя"},
    "what_if": {"en": "What if …", "ru": "А если …"},
    "toy": {
        "en": "A toy change of this layer alone: no other layer is computed.",
        "ru": "Пробное изменение одного этого слоя: что до и после него, не считается.",
    },
    "temperature": {"en": "Temperature", "ru": "Температура"},
    "no_scale": {"en": "without dividing by √d", "ru": "без деления на √d"},
    "reset": {"en": "Reset", "ru": "Вернуть как было"},
    "mask_hint": {
        "en": "Untick a key to hide it from the query.",
        "ru": "Снимите отметку, чтобы закрыть ключ от запроса.",
    },
    "key_column": {"en": "Key", "ru": "Ключ"},
    "seen_column": {"en": "Seen", "ru": "Виден"},
    "before_column": {"en": "Weight", "ru": "Вес"},
    "after_column": {"en": "Changed", "ru": "Станет"},
    "norm": {
        "en": "Length of what is read: {before}, changed {after}",
        "ru": "Длина прочитанного вектора: {before}, станет {after}",
    },
    "no_what_if": {
        "en": "Nothing to try here: the weights are no softmax of recorded scores.",
        "ru": "Пробовать здесь нечего: эти веса — не softmax записанных оценок.",
    },
    "keys_hint": {
        "en": "Arrow keys go from step to step, 1 to 9 jump to one.",
        "ru": "Стрелки переходят от шага к шагу, цифры 1–9 — сразу к нужному.",
    },
    "caution": {
        "en": "Attention shows where a layer read from, not why the model answered.",
        "ru": "Внимание показывает, откуда слой читал, а не почему модель так решила.",
    },
}

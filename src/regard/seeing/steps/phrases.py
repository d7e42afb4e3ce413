"""The words around the steps, in both languages."""

from collections.abc import Mapping

PHRASES: Mapping[str, Mapping[str, str]] = {
    "nothing": {"en": "nothing to compare", "ru": "сравнивать нечего"},
    "hidden query": {"en": "the query is padding", "ru": "запрос — заполнение"},
    "hidden keys": {"en": "all keys are padding", "ru": "все ключи — заполнение"},
    "partly nan": {
        "en": "a score of this row is not a number (NaN), "
        "and beside NaN this backend's softmax gives 0",
        "ru": "одна из оценок строки — не число (NaN), "
        "а рядом с NaN softmax этого бэкенда даёт 0",
    },
    "empty": {"en": "it has no entries", "ru": "здесь нет ни одного числа"},
    "nothing read": {
        "en": "All weights of this row are zero: there is nothing to read.",
        "ru": "Все веса этой строки равны нулю: читать нечего.",
    },
    "counted": {
        "en": "Compared with the layer: {passed} agree, {failed} differ; "
        "with nothing to compare: {nothing}.",
        "ru": "Сверка со слоем: совпало {passed}, разошлось {failed}; "
        "сравнивать было нечего: {nothing}.",
    },
    "shapes": {"en": "shapes", "ru": "формы"},
    "passed": {"en": "agrees with the layer", "ru": "совпадает со слоем"},
    "failed": {"en": "DIFFERS FROM THE LAYER", "ru": "РАСХОДИТСЯ СО СЛОЕМ"},
    "dropping": {
        "en": "it was a call of training, and dropout took part of the weights away",
        "ru": "это был вызов при обучении, и часть весов обнулил дропаут",
    },
    "difference": {"en": "difference", "ru": "разница"},
    "allowed": {"en": "allowed", "ru": "допустимо"},
    "query": {"en": "query {name}", "ru": "запрос {name}"},
    "head": {"en": "head {number} of {count}", "ru": "голова {number} из {count}"},
    "from 0": {"en": "(counted from 0)", "ru": "(счёт с нуля)"},
    "between": {"en": ", ", "ru": "; "},
    "terms": {"en": "largest terms of the sum", "ru": "самые большие слагаемые"},
    "for": {"en": "for", "ru": "для"},
    "key": {"en": "key {name}", "ru": "ключа {name}"},
    "pixel": {"en": "pixel {name}", "ru": "пиксель {name}"},
    "of pixel": {"en": "pixel {name}", "ru": "пикселя {name}"},
    "of edge": {"en": "edge {name}", "ru": "ребра {name}"},
    "of delay": {"en": "delay {name}", "ru": "задержки {name}"},
    "of slot": {"en": "summary {name}", "ru": "сводки {name}"},
    "of point": {"en": "point {name}", "ru": "точки {name}"},
    "of channel": {"en": "channel {name}", "ru": "канала {name}"},
    "of feature": {"en": "feature {name}", "ru": "признака {name}"},
    "of source": {"en": "source {name}", "ru": "источника {name}"},
    "of place": {"en": "place {name}", "ru": "места {name}"},
    "of row": {"en": "row {name}", "ru": "строки {name}"},
}


def phrases(language: str) -> Mapping[str, str]:
    """Key -> phrase in one language."""
    return {key: texts[language] for key, texts in PHRASES.items()}

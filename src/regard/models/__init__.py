"""Networks with attention inside, and the search that decodes them."""

from regard.models.encoders import BidirectionalEncoder
from regard.models.losses import SmoothedCrossEntropy
from regard.models.mechanisms import EQUAL_WIDTHS, make_attention, make_cell
from regard.models.pervasive import PervasiveTranslator
from regard.models.search import Hypotheses, Search, Searcher
from regard.models.seq2seq import Seq2Seq

__all__ = [
    "EQUAL_WIDTHS",
    "BidirectionalEncoder",
    "Hypotheses",
    "PervasiveTranslator",
    "Search",
    "Searcher",
    "Seq2Seq",
    "SmoothedCrossEntropy",
    "make_attention",
    "make_cell",
]

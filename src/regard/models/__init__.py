"""Networks with attention inside, and the search that decodes them."""

from regard.models.encoders import BidirectionalEncoder
from regard.models.losses import SmoothedCrossEntropy
from regard.models.mechanisms import EQUAL_WIDTHS, make_attention, make_cell
from regard.models.pervasive import PervasiveTranslator
from regard.models.search import Hypotheses, Search, Searcher
from regard.models.seq2seq import Seq2Seq
from regard.models.transformer.decoder_block import TransformerDecoderBlock
from regard.models.transformer.encoder_block import TransformerEncoderBlock
from regard.models.transformer.feed_forward import FeedForward
from regard.models.transformer.stacks import TransformerDecoder, TransformerEncoder
from regard.models.transformer.transformer import Transformer

__all__ = [
    "EQUAL_WIDTHS",
    "BidirectionalEncoder",
    "FeedForward",
    "Hypotheses",
    "PervasiveTranslator",
    "Search",
    "Searcher",
    "Seq2Seq",
    "SmoothedCrossEntropy",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderBlock",
    "TransformerEncoder",
    "TransformerEncoderBlock",
    "make_attention",
    "make_cell",
]

"""See what a model attends to, without changing the model."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from regard.layers.chosen_rows import whole_numbers
from regard.layers.traceable import Traceable
from regard.recording import Recorder, recording
from regard.seeing.causes import noting_paddings
from regard.seeing.finding import attention_layers, choose, unread_layers
from regard.seeing.keras_layers import read_off
from regard.seeing.maps import Maps
from regard.seeing.reducing import Reduction
from regard.seeing.replacing import replaced
from regard.seeing.tracers import wait_for_callbacks

_COMPILED = ("train_function", "test_function", "predict_function")


def attend_to(
    model, *inputs, layers=None, rows=None, heads=None, whole=False, **options
) -> Maps:
    """What a model attends to in one call: ``maps[name].weights``, as in ``capture``.

    Args:
        model: as in ``capture``.
        *inputs: of the call.
        layers: as in ``capture``.
        rows: as in ``capture``.
        heads: as in ``capture``.
        whole: as in ``capture``.
        **options: of the call, which is one of inference where they do not say.
    """
    with capture(model, layers, rows=rows, heads=heads, whole=whole) as maps:
        model(*inputs, **{"training": False, **options})
    return maps


@contextmanager
def capture(
    model, layers=None, *, rows=None, heads=None, whole=False
) -> Iterator[Maps]:
    """Record what the attention layers of a model do while the block runs.

        with regard.capture(model) as maps:
            model(x)                      # or model.predict(x)
        maps["decoder/additive_attention"].weights   # (B, H, T, S)

    The model computes what it would have computed; inside the block it runs eagerly,
    and its compiled functions are put back afterwards, also after an exception. Of a
    search (``regard.models.Searcher``) every layer shows one call, that of the model
    along the best hypotheses.

    Args:
        model: a Keras model or layer with any of ``regard.layers``, Keras' own
            ``Attention``, ``AdditiveAttention``, ``MultiHeadAttention`` and
            ``GroupQueryAttention`` or subclasses of them, or KerasHub's, nested as deep
            as you like.
        layers: names or paths of the layers to capture; by default all.
        rows: numbers of the queries that are kept, from the end where negative; by
            default all. ``extra["rows"]`` says which they are, since those a layer does
            not have are passed over.
        heads: numbers of the heads, likewise; ``extra["heads"]``. Scores, weights,
            masks, queries and contexts are cut to both, keys and values to the heads.
        whole: keep all weights of however long an input. Otherwise a call with more
            than 33 million has ``weights`` None, no queries, keys and values, and the
            outline of its weights in ``extra``, made without a table of all pairs: see
            ``regard.seeing.reducing.outline``.

    Yields:
        A mapping from the layer's path to the list of its calls, each a ``Trace``. A
        path that occurs twice gets ``#2``. Batches of one ``predict`` are joined.
        ``masks`` has the parts of a mask by cause, also of one that a layer was given
        joined: see ``regard.seeing.causes``.
        Of a fused path of Keras, which keeps its weights to itself, they are those that
        its answer confirms; rows that it does not are warned of and are True in
        ``extra["unconfirmed"]`` (B, H, T).
        A layer that is named after attention and cannot be read is warned of, and
        stands in ``maps.unread`` with the reason.

    Raises:
        ValueError: where the model has no such layer, or rows or heads are no numbers.
    """
    numbers = {
        name: None if each is None else whole_numbers(name, each)
        for name, each in (("rows", rows), ("heads", heads))
    }
    reduction = Reduction(**numbers, whole=whole)
    found = attention_layers(model)
    chosen = choose(found, layers)
    maps = Maps({id(layer): name for name, layer in chosen.items()}, reduction)
    if layers is None:
        maps.unread = unread_layers(model)
    with ExitStack() as stack:
        stack.enter_context(eagerly(model, maps))
        stack.enter_context(noting_paddings(model, maps.paddings))
        stack.enter_context(recording(Recorder(maps.accepts, maps.receive, reduction)))
        for layer in chosen.values():
            if not isinstance(layer, Traceable):
                stack.enter_context(read_off(layer))
            stack.enter_context(replaced(layer, "call", maps.noting(layer)))
        stack.callback(wait_for_callbacks)
        yield maps


@contextmanager
def eagerly(model, maps):
    """Run a model eagerly and put its compiled functions back afterwards."""
    if not hasattr(model, "predict"):
        yield
        return
    compiled = {name: getattr(model, name, None) for name in _COMPILED}
    before = model.run_eagerly
    predict, step = model.predict, model.predict_step
    predict_one = model.predict_on_batch

    def joining_predict(*args, **kwargs):
        with maps.joining():
            return predict(*args, **kwargs)

    def prepared_predict_one(*args, **kwargs):
        with maps.preparing():
            return predict_one(*args, **kwargs)

    def counting_step(*args, **kwargs):
        maps.next_batch()
        return step(*args, **kwargs)

    for name in compiled:
        setattr(model, name, None)
    model.run_eagerly = True
    try:
        with (
            replaced(model, "predict", joining_predict),
            replaced(model, "predict_on_batch", prepared_predict_one),
            replaced(model, "predict_step", counting_step),
        ):
            yield
    finally:
        model.run_eagerly = before
        for name, function in compiled.items():
            setattr(model, name, function)

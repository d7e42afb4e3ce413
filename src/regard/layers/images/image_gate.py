"""Layers that multiply an image by numbers between 0 and 1."""

from keras import ops

from regard.core.images import as_given
from regard.layers.images.image_layer import ImageLayer


class ImageGate(ImageLayer):
    """$y = x \\odot a$ with a gate that broadcasts to the image; abstract.

    A mechanism defines ``gate(image, mask)``, which gets (B, H, W, C) and returns
    float32, and ``gate_axes``: which of H, W and C its gate tells apart.
    """

    gate_axes = (False, False, True)

    def gate(self, image, mask):
        """(B, H, W, C) -> a, which broadcasts to it."""
        raise NotImplementedError(f"{type(self).__name__} must define gate.")

    def attended(self, image, mask, wanted):
        gate = self.gate(image, mask)
        output = image * ops.cast(gate, image.dtype)
        return output, {"weights": gate, "value": image, "context": output}

    def weights_shape(self, shape):
        batch, *sizes = shape
        kept = [n if own else 1 for n, own in zip(sizes, self.gate_axes, strict=True)]
        if self.data_format == "channels_first":
            kept = [kept[2], *kept[:2]]
        return (batch, *kept)

    def as_shown(self, found):
        return as_given(found["weights"], self.data_format)

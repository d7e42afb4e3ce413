"""What learned numbers of positions may be."""

import keras
from keras import ops

__all__ = ["Within"]


@keras.saving.register_keras_serializable("regard")
class Within(keras.constraints.Constraint):
    """Keeps weights at ``least`` or more, and at ``most`` or less if there is one."""

    def __init__(self, least, most=None):
        self.least, self.most = least, most

    def __call__(self, w):
        w = ops.maximum(w, self.least)
        return w if self.most is None else ops.minimum(w, self.most)

    def get_config(self):
        return {"least": self.least, "most": self.most}

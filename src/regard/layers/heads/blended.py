"""Heads whose weights are combined after normalizing."""

from regard.layers.heads.projected import ProjectedHeads


class BlendedHeads(ProjectedHeads):
    """Shows in a trace, as ``maps``, what each head normalized by itself; abstract."""

    def look(self, queries, keys, values, visibility, bias=None, keep=None, want=()):
        shown = ("maps",) if "scores" in want else ()
        memory = (queries, keys, values)
        found = super().look(*memory, visibility, bias, keep, (*want, *shown))
        maps = {name: found.pop(name) for name in shown}
        return {**found, "extra": maps} if maps else found

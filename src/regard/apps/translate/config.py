"""Every setting of a translation run, with its default, its bounds and its meaning."""

import json
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

AttentionName = Literal[
    "additive",
    "dot",
    "scaled_dot",
    "general",
    "concat",
    "location",
    "cosine",
    "multi_head",
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Section):
    """What of the files is used, and the subwords it becomes."""

    source_vocabulary: int = Field(default=4000, ge=16, le=64000)
    target_vocabulary: int = Field(default=4000, ge=16, le=64000)
    max_length: int = Field(
        default=60, ge=1, description="in pieces; longer pairs left out"
    )
    max_characters: int = Field(
        default=1000, ge=1, description="longer lines are skipped"
    )
    tokens_per_batch: int = Field(default=1024, ge=8)
    buckets: int = Field(
        default=6, ge=1, le=20, description="distinct shapes of batches"
    )
    bpe_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)


# What a transformer has where a file says nothing; the other defaults are of both.
_TRANSFORMER = {"attention": "multi_head", "dropout": 0.1}
_TRANSFORMER_RATE = 1e-3


class ModelSettings(_Section):
    """The network: encoder, decoder, and the attention between them."""

    kind: Literal["recurrent", "transformer"] = "recurrent"
    attention: AttentionName = Field(
        default="additive", description="of a transformer by default multi_head"
    )
    attention_options: dict[str, Any] = Field(
        default_factory=dict, description="further arguments of the attention layer"
    )
    order: Literal["bahdanau", "luong"] = Field(
        default="luong",
        description="scores from the previous state, or from the new one",
    )
    input_feeding: bool | None = Field(
        default=None,
        description="feed the last output back; by default with order luong",
    )
    cell: Literal["gru", "lstm"] = "lstm"
    layers: int = Field(
        default=1, ge=1, le=8, description="cells stacked in the decoder"
    )
    encoder_layers: int = Field(default=1, ge=1, le=8)
    embedding: int = Field(default=256, ge=1)
    units: int = Field(default=256, ge=1)
    dropout: float = Field(
        default=0.3, ge=0.0, lt=1.0, description="of a transformer by default 0.1"
    )
    heads: int = Field(default=4, ge=1, description="of a transformer's multi_head")
    feed_forward: int | None = Field(
        default=None, ge=1, description="of a transformer; by default 4 units"
    )
    position: Literal["rope", "alibi", "t5", "none"] = Field(
        default="rope", description="how a transformer knows places"
    )
    pre_norm: bool = Field(default=True, description="a transformer's norms come first")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("kind") != "transformer":
            return values
        units = {"embedding": values["units"]} if "units" in values else {}
        return {**_TRANSFORMER, **units, **values}

    @model_validator(mode="after")
    def _transformers_fit(self) -> Self:
        if self.kind != "transformer":
            return self
        if self.embedding != self.units:
            raise ValueError(
                "embedding must be units in a transformer, whose blocks add to what "
                f"they read. Got {self.embedding} and {self.units}"
            )
        if self.attention == "multi_head" and self.units % self.heads:
            raise ValueError(
                f"units must be a multiple of heads. Got {self.units} and {self.heads}"
            )
        if self.attention == "location":
            raise ValueError("attention = 'location' does not fit a transformer")
        return self

    @model_validator(mode="after")
    def _input_feeding_is_luongs(self) -> Self:
        if self.input_feeding and self.order != "luong":
            raise ValueError("input_feeding needs order = 'luong'")
        return self


class TrainingSettings(_Section):
    """How long and how fast to learn. `minutes` or `epochs` is the budget."""

    minutes: float | None = Field(default=None, gt=0)
    epochs: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(
        default=2e-3, gt=0, description="of a transformer by default 1e-3"
    )
    warmup: float = Field(
        default=0.05, ge=0.0, le=1.0, description="share of the budget"
    )
    final_rate: float = Field(
        default=0.02, ge=0.0, le=1.0, description="of learning_rate"
    )
    label_smoothing: float = Field(default=0.1, ge=0.0, lt=1.0)
    clip_norm: float = Field(default=1.0, gt=0)
    average: float = Field(
        default=0.995, ge=0.0, lt=1.0, description="decay of the averaged weights"
    )
    validate_every: float = Field(
        default=60.0, gt=0, description="seconds between checks"
    )
    checkpoint_every: float = Field(
        default=30.0, gt=0, description="seconds between saves"
    )
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if self.minutes is not None and self.epochs is not None:
            raise ValueError("give minutes or epochs, not both")
        return self


class TranslateConfig(_Section):
    """All settings; `regard train translate --config file.toml` reads the same names.

    A file has the sections `[data]`, `[model]` and `[training]`; what it leaves out
    keeps its default.
    """

    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="before")
    @classmethod
    def _rate_of_the_kind(cls, values: Any) -> Any:
        model = values.get("model") if isinstance(values, dict) else None
        if not isinstance(model, dict) or model.get("kind") != "transformer":
            return values
        training = values.get("training", {})
        if isinstance(training, dict):
            training = {"learning_rate": _TRANSFORMER_RATE, **training}
        return {**values, "training": training}

    @classmethod
    def load(cls, path: str | Path | None, **overrides: dict[str, Any]) -> Self:
        """Read a TOML file (or none) and apply `section={name: value}` over it.

        Overrides that are None count as not given. A budget given as an override
        takes the place of the file's.

        Raises:
            ValueError: unreadable file, unknown name, value out of bounds.
        """
        values = {} if path is None else _read_toml(Path(path))
        for section, changes in overrides.items():
            given = {name: new for name, new in changes.items() if new is not None}
            known = values.setdefault(section, {})
            if not isinstance(known, dict):
                continue  # not a section: `of` says so
            if section == "training" and {"minutes", "epochs"} & given.keys():
                known.pop("minutes", None), known.pop("epochs", None)
            known.update(given)
        return cls.of(values, str(path) if path else "settings")

    @classmethod
    def of(cls, values: dict[str, Any], where: str = "settings") -> Self:
        """Build from plain values. Raises ValueError that names each wrong one."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [_say(problem) for problem in error.errors()]
            raise ValueError(f"{where}: " + "; ".join(lines)) from None

    def to_toml(self) -> str:
        """Return the settings as a file for `load`, each with what it means."""
        lines = []
        for section in type(self).model_fields:
            settings = getattr(self, section)
            lines.append(f"[{section}]")
            for name, field in type(settings).model_fields.items():
                value = getattr(settings, name)
                # What has no value stays a comment: TOML knows no null.
                line = (
                    f"{name} = {json.dumps(value)}"
                    if value is not None
                    else (f"# {name} =")
                )
                meaning = f"  # {field.description}" if field.description else ""
                lines.append(line + meaning)
            lines.append("")
        return "\n".join(lines)


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path}: no such configuration file.")
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid TOML: {error}") from None


def _say(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{name}: {message}" if name else message
    return f"{name}: {message}. Got {problem['input']!r}"

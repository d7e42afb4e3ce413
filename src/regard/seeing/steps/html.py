"""Steps as a piece of HTML, for notebooks and for pages where no script runs."""

from html import escape

from regard.cards.mathml import mathml
from regard.seeing.steps.phrases import phrases
from regard.seeing.steps.step import Step, Steps, shape_text

_STYLE = (
    "font:16px/1.5 system-ui,sans-serif;max-width:46rem;",
    "overflow-x:auto;padding:.2rem 0;",
    "color:#b00020;font-weight:bold;",
)


def steps_html(steps: Steps) -> str:
    """A ``<section>`` with a list of all steps; nothing in it is loaded or run."""
    whole, _, _ = _STYLE
    items = "".join(f"<li>{_step(each, steps.language)}</li>" for each in steps)
    return (
        f'<section lang="{steps.language}" style="{whole}">'
        f"<h3>{escape(steps.title)}</h3><p>{escape(steps.subject)}</p>"
        f"<ol>{items}</ol><p>{escape(steps.summary())}</p></section>"
    )


def _step(step: Step, language: str) -> str:
    _, wide, wrong = _STYLE
    words = phrases(language)
    parts = [f"<b>{escape(step.title)}.</b> {escape(step.sentence)}"]
    if step.formula:
        parts.append(f'<div style="{wide}">{mathml(step.formula)}</div>')
    if step.numbers:
        before = f"{words['for']} {step.of}: " if step.of else ""
        numbers = mathml(step.numbers)
        parts.append(f'<div style="{wide}">{escape(before)}{numbers}</div>')
    if step.shapes:
        shapes = f"{words['shapes']}: {shape_text(step.shapes)}"
        parts.append(f"<small>{escape(shapes)}</small>")
    if step.check is not None:
        said = escape(step.check.text(language))
        style = f' style="{wrong}"' if step.check.failed else ""
        parts.append(f"<br><small{style}>{said}</small>")
    return "".join(parts)

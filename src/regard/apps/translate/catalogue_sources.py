"""Wheels that carry human translations of their messages, and how to get them."""

import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global

# Packages under a BSD licence, each with message catalogues in many languages.
PACKAGES = (
    "Django",
    "djangorestframework",
    "Sphinx",
    "wagtail",
    "django-cms",
    "django-filer",
    "django-filter",
    "django-import-export",
    "django-oscar",
    "Flask-Admin",
    "WTForms",
)
_LANGUAGE_PACK = "jupyterlab-language-pack-{language}-{territory}"


@dataclass(frozen=True)
class Language:
    """A target language; `territory` and `script` are CLDR's likely ones if not said.

    `folders` are the names its catalogues are kept under.
    """

    code: str
    language: str
    territory: str
    script: str
    name: str

    @classmethod
    def of(cls, code: str) -> "Language":
        """Look up `ru`, `fr`, `pt_BR` ... Raises ValueError for an unknown code."""
        code = code.replace("-", "_")
        try:
            given = Locale.parse(code)
        except (ValueError, UnknownLocaleError):
            raise ValueError(
                f"the language must be a code such as ru, fr or pt_BR. Got {code!r}."
            ) from None
        if given.language == "en":
            raise ValueError("the language must not be English: it is the source.")
        tags = get_global("likely_subtags")
        likely = tags.get(code) or tags.get(given.language) or f"{code}_Latn_"
        script, territory = likely.split("_")[1:3]
        return cls(
            code=code,
            language=given.language,
            territory=given.territory or territory,
            script=given.script or script,
            name=given.english_name or code,
        )

    @property
    def folders(self) -> frozenset[str]:
        regional = f"{self.language}_{self.territory}"
        written = f"{self.language}_{self.script}"
        return frozenset({self.code, regional, written})


def packages_for(language: Language) -> tuple[str, ...]:
    """Return the packages to ask for this language's catalogues."""
    pack = _LANGUAGE_PACK.format(
        language=language.language, territory=language.territory
    )
    return (pack, *PACKAGES)


def present_wheels(packages: Sequence[str], folder: Path) -> list[Path]:
    """Return the packages' wheels that are in the folder already."""
    found = (_find(package, folder) for package in packages)
    return [wheel for wheel in found if wheel is not None]


def download_wheels(
    packages: Sequence[str], folder: Path, say: Callable[[str], None]
) -> list[Path]:
    """Fetch the packages' wheels with pip, without what they depend on.

    Wheels that are in the folder already are kept. A package that cannot be had is
    told through `say` and left out.

    Raises:
        ValueError: not one wheel could be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels = []
    for package in packages:
        found = _find(package, folder)
        if found is None:
            say(f"downloading {package}")
            problem = _pip_download(package, folder)
            found = _find(package, folder)
            if found is None:
                say(f"left out {package}: {problem}")
                continue
        wheels.append(found)
    if not wheels:
        raise ValueError(
            "no package could be downloaded. Does `pip download Django` work here? "
            f"Wheels put into {folder} by hand are used too."
        )
    return wheels


def licence_of(wheel: Path) -> str:
    """Return what the wheel's metadata says of its licence."""
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(names[0]).decode("utf-8") if names else ""
    fields = HeaderParser().parsestr(text)
    classifiers = fields.get_all("Classifier", [])
    licences = [c.rsplit("::", 1)[-1].strip() for c in classifiers if "License ::" in c]
    return fields.get("License-Expression") or ", ".join(licences)


def _find(package: str, folder: Path) -> Path | None:
    start = package.lower().replace("-", "_") + "-"
    wheels = (w for w in folder.glob("*.whl") if w.name.lower().startswith(start))
    return next(iter(sorted(wheels)), None)


def _pip_download(package: str, folder: Path) -> str:
    """Run pip; return why it failed, or nothing."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--dest", str(folder), package], capture_output=True, text=True
    )
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    return (errors or done.stderr.splitlines() or [""])[-1].removeprefix("ERROR: ")

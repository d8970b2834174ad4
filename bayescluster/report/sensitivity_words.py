"""Names of what is scaled and of what moves, for the report and its figures."""

from __future__ import annotations

from bayescluster.report import words
from bayescluster.results.sensitivity import Sensitivity, SensitivityRow


def block_title(found: Sensitivity, name: str) -> str:
    """Name of a block of priors, of all of them, or of the likelihood."""
    titles = {block.name: block.title for block in found.blocks}
    return titles.get(name, {"all": "all priors", "likelihood": "likelihood"}.get(name, name))


def quantity_title(row: SensitivityRow) -> str:
    """Name of a quantity, with its group where it has one."""
    name = words.label(row.quantity) if row.kind == "estimand" else row.quantity
    return name if row.by is None else f"{name}: {words.group(row.by, row.group or '')}"

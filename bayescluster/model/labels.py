"""Names along the dimensions of a model's variables."""

from __future__ import annotations

from typing import Any

from bayescluster import names
from bayescluster.design.coding import monotonic_controls
from bayescluster.design.record import Design
from bayescluster.model.priors import latent_capitals, population_terms, variance_components


def model_coords(design: Design) -> dict[str, Any]:
    """Name every coordinate of the model."""
    coords: dict[str, Any] = {
        names.ROW: design.labels(names.ROW),
        design.variable(names.TERM): population_terms(design),
        design.variable(names.CONTROL): design.control_names,
    }
    if design.levels:
        pairs = zip(design.levels[:-1], design.levels[1:], strict=True)
        coords[design.variable(names.CUTPOINT)] = [f"{low} | {high}" for low, high in pairs]
    for control in monotonic_controls(design):
        coords[f"{design.variable(names.steps(control.name))}_step"] = control.steps
    for grouping in design.groupings:
        coords[names.group_dim(grouping.name)] = grouping.labels
        term = design.variable(names.group_term(grouping.name))
        coords |= {term: grouping.terms, f"{term}_other": grouping.terms}
    parts = variance_components(design)
    if parts:
        coords[design.variable(names.COMPONENT)] = [part.label for part in parts]
    return coords


def measurement_coords(design: Design) -> dict[str, Any]:
    """Name the indicators of latent capitals, and what else bears on them."""
    coords: dict[str, Any] = {names.ROW: design.labels(names.ROW)}
    for capital in latent_capitals(design):
        items = design.items(capital)
        coords[names.item_dim(capital)] = items.columns
        coords[f"{names.item_dim(capital)}_continuous"] = [
            items.columns[k] for k in items.continuous
        ]
        coords[names.background_dim(capital)] = tuple(design.background)
        coords[names.CLUSTER] = design.group_labels(names.CLUSTER)
    return coords

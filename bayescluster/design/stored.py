"""Designs as they are saved: one tree of arrays, from which the same design is opened again."""

from __future__ import annotations

import xarray as xr

from bayescluster.design.record import Design
from bayescluster.spec.analysis import Analysis


def design_tree(design: Design) -> xr.DataTree:
    """Arrays of a design as one tree, a group for each equation."""
    return xr.DataTree.from_dict({each.equation_name: each.data for each in design.equations})


def design_from(analysis: Analysis, tree: xr.DataTree) -> Design:
    """Open a design that was saved as a tree."""
    focus = analysis.equation_name
    others = tuple(
        Design(analysis, child.to_dataset(), name)
        for name, child in tree.children.items()
        if name != focus
    )
    return Design(analysis, tree[focus].to_dataset(), focus, others)

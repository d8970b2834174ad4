"""``bayescluster explain``: what a key of an analysis file means and takes."""

from __future__ import annotations

from typing import Annotated

import typer

from bayescluster.cli.guard import guarded, say


@guarded
def explain(
    key: Annotated[
        str,
        typer.Argument(
            help="A key (derive), its place (data.missing), or a heading of the guide.",
            show_default="all keys",
        ),
    ] = "",
    guide: Annotated[
        bool, typer.Option("--guide", help="Print the whole guide as markdown.")
    ] = False,
) -> None:
    """Explain a key of the analysis file: what it means, what it takes, what holds without it."""
    from bayescluster.spec.explain import explained, keys, whole_guide

    if guide:
        say(whole_guide().rstrip("\n"))
    elif key:
        say(explained(key))
    else:
        for each in keys():
            say(each.place)

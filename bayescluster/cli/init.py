"""``bayescluster init``: an analysis file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.guard import guarded, say
from bayescluster.errors import ConfigError, Problem


@guarded
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("analysis.yaml"),
) -> None:
    """Write an analysis file with every part explained, to be filled in."""
    from bayescluster.spec.schema import STARTER

    if path.exists():
        raise ConfigError(
            Problem("the file is there already", str(path), "name another file, or move this one")
        )
    path.write_text(STARTER, encoding="utf-8")
    say(f"Written: {path}")
    say(f"Fill in the columns, then: bayescluster validate {path}")

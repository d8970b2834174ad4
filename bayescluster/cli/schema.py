"""``bayescluster schema``: the JSON Schema of the analysis file, for editors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.guard import guarded, say


@guarded
def schema(
    out: Annotated[Path | None, typer.Option("--out", help="File to write to.")] = None,
) -> None:
    """Print the JSON Schema of the analysis file, generated from the classes that read it."""
    from bayescluster.spec.schema import schema_text

    if out is None:
        sys.stdout.write(schema_text())
        return
    out.write_text(schema_text(), encoding="utf-8")
    say(f"Schema: {out}")

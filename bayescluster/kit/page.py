"""Templates of the report: everything that comes from data is escaped."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayescluster.kit import words


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Make the one environment: autoescape always on, unknown names refused."""
    made = Environment(
        loader=PackageLoader("bayescluster.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["words"] = words
    return made


def filled(template: str, **context: Any) -> Markup:
    """Fill a template; the result is markup, its data escaped."""
    made = environment().get_template(template).render(**context)
    return Markup(made)

"""The JSON Schema of the analysis file, generated from the classes that read it."""

from __future__ import annotations

import json

from bayescluster.spec.analysis import Analysis


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of an analysis file, as an editor wants it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bayescluster analysis",
    } | Analysis.model_json_schema()
    schema["title"] = "bayescluster analysis"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

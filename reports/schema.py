"""The JSON Schema of results.json, generated from the types in results.py."""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from reports.results import Results

FILE = Path(__file__).with_name("results.schema.json")


def _when(key: str, values: list[object], then: dict[str, object], otherwise: dict[str, object]) -> dict[str, object]:
    """Return a rule: where a property has one of these values, others are so, else they are otherwise."""
    rule: dict[str, object] = {"if": {"properties": {key: {"enum": values}}}, "then": {"properties": then}}
    return rule | ({"else": {"properties": otherwise}} if otherwise else {})


NULL, NOT_NULL, NOT_NOTED = {"type": "null"}, {"not": {"type": "null"}}, {"not": {"const": "noted"}}
TEXT, NO_TEXT = {"minLength": 1}, {"const": ""}
# What one property says about another; types cannot express it.
RULES = {
    "Results": [
        _when("verdict", ["ok"], {"exit_status": {"const": 0}}, {"exit_status": {"not": {"const": 0}}}),
        _when("verdict", ["firing"], {"exit_status": {"const": 1}}, {"exit_status": {"not": {"const": 1}}}),
    ],
    "AlertResult": [
        _when("state", ["pending", "silenced"], {"suppressed": NOT_NULL}, {"suppressed": NULL}),
        _when("state", ["ok", "skipped"], {"causes": {"maxItems": 0}, "since": NULL},
              {"message": TEXT, "since": NOT_NULL, "respond_by": NOT_NULL}),
        {"properties": {"state": NOT_NOTED}},
    ],
    "Point": [{"properties": {"state": NOT_NOTED}}],
    "CheckResult": [
        _when("role", ["trigger"], {"outcome": NOT_NOTED, "cause": NULL}, {"cause": NOT_NULL}),
        _when("outcome", ["ok"], {"message": NO_TEXT}, {"message": TEXT}),
    ],
}  # fmt: skip


def generated() -> str:
    """Return the schema as the file has it: every key is written, and no other."""
    (whole,), parts = msgspec.json.schema_components([Results], ref_template="#/$defs/{name}")
    for name, part in parts.items():
        if "description" in part:
            part["description"] = cleandoc(part["description"])
        if "properties" in part:
            part["required"] = list(part["properties"])
            for prop in part["properties"].values():
                prop.pop("default", None)
        part.update({"allOf": RULES[name]} if name in RULES else {})
    document: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json: one health run of Ordinaut",
        **whole,
        "$defs": parts,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"

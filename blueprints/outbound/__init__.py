"""Sending to Mixpanel from a browser: the composer, the history of calls, imports, comparisons, projects."""

from typing import Any

from flask import Blueprint

from runtime import current_runtime

blueprint = Blueprint("outbound", __name__)


@blueprint.context_processor
def surroundings() -> dict[str, Any]:
    """What every page of sending knows: where its calls really go."""
    return {"mixpanel_base_url": current_runtime().settings.mixpanel_base_url}


from blueprints.outbound import (  # noqa: E402 - they add the routes
    answers,
    body_files,
    cohort_send,
    comparisons,
    composer,
    delivery_check,
    downloads,
    formatting,
    history,
    history_compare,
    import_corrections,
    imports,
    people,
    projects,
    saved,
    saved_files,
    saved_form,
)

for name, filter_ in formatting.FILTERS.items():
    blueprint.add_app_template_filter(filter_, name)

__all__ = [
    "answers",
    "blueprint",
    "body_files",
    "cohort_send",
    "comparisons",
    "composer",
    "delivery_check",
    "downloads",
    "history",
    "history_compare",
    "import_corrections",
    "imports",
    "people",
    "projects",
    "saved",
    "saved_files",
    "saved_form",
]

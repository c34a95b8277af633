"""What may be chosen for a parameter, from the answer of the operation that lists it (seeds/003, data sources)."""

import json
from collections.abc import Iterator
from typing import Any

Choice = dict[str, str]


def choices(operation_id: str, answer: Any) -> list[Choice]:
    """Labels and keys; empty where the answer is not what it should be."""
    listed = _LISTS.get(operation_id)
    return list(listed(answer)) if listed is not None else []


def _funnels(answer: Any) -> Iterator[Choice]:
    for item in answer if isinstance(answer, list) else []:
        if isinstance(item, dict) and "funnel_id" in item:
            yield {"label": str(item.get("name", item["funnel_id"])), "key": str(item["funnel_id"])}


def _pipelines(answer: Any) -> Iterator[Choice]:
    """Mixpanel answers a list for each pipeline id; an object alone is taken too (mixpanel-facts 6, 36)."""
    for number, jobs in answer.items() if isinstance(answer, dict) else []:
        for job in jobs if isinstance(jobs, list) else [jobs]:
            if isinstance(job, dict) and job.get("name"):
                yield {"label": f"{job['name']} - PipelineId: {number}", "key": str(job["name"])}


def _tables(answer: Any) -> Iterator[Choice]:
    results = answer.get("results") if isinstance(answer, dict) else None
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict) and "id" in result:
            yield {"label": str(result.get("name", result["id"])), "key": str(result["id"])}


def _cohorts(answer: Any) -> Iterator[Choice]:
    for item in answer if isinstance(answer, list) else []:
        if isinstance(item, dict) and "id" in item:
            yield {"label": f"{item.get('name', '')} ({item.get('count', '?')})", "key": json.dumps({"id": item["id"]})}


_LISTS = {
    "funnels-list-saved": _funnels,
    "list-warehouse-pipeline-jobs": _pipelines,
    "list-lookup-tables": _tables,
    "cohorts-list": _cohorts,
}

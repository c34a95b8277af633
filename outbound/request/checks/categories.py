"""The sorts of advice, so that whoever sends many records reads numbers: "3 texts will be cut"."""

from collections.abc import Mapping

# Words for one record, and for many.
SORTS = {
    "cut": ("text will be cut", "texts will be cut"),
    "cut-name": ("name will be cut", "names will be cut"),
    "deep": ("value is nested too deeply", "values are nested too deeply"),
    "large": ("list or object is too large", "lists or objects are too large"),
    "properties": ("record has too many properties", "records have too many properties"),
    "illegal-id": ("id means nobody to Mixpanel", "ids mean nobody to Mixpanel"),
    "nobody": ("record does not say whom it is about", "records do not say whom they are about"),
    "no-text-id": ("id is no text", "ids are no texts"),
    "insert-id": ("$insert_id will be ignored", "$insert_ids will be ignored"),
    "no-time": ("event has no time", "events have no time"),
    "time": ("time is none that Mixpanel takes", "times are none that Mixpanel takes"),
    "extra": (
        "event has names beside event and properties, which Mixpanel does not take",
        "events have names beside event and properties, which Mixpanel does not take",
    ),
    "identity": ("identity call is not as Mixpanel wants it", "identity calls are not as Mixpanel wants them"),
    "operator": ("update has not exactly one operator", "updates have not exactly one operator"),
    "value": ("value is none that its operator takes", "values are none that their operators take"),
    "equal": (
        "event is equal to one before it and has no $insert_id: Mixpanel counts them once",
        "events are equal to one before them and have no $insert_id: Mixpanel counts them once",
    ),
    "": ("advice", "pieces of advice"),
}


def told(counts: Mapping[str, int]) -> list[str]:
    """Return sentences without a point, the most frequent first."""
    many = sorted(counts.items(), key=lambda pair: -pair[1])
    return [f"{times:,} {SORTS.get(sort, SORTS[''])[times != 1]}" for sort, times in many]

"""Every input of the actions and pick-lists that people know from elsewhere, and what it is here: a parameter of ours,
the body, what the project settles, or nothing with the reason."""

BODY = "(body)"
SETTLED = "(settled by the project, or by us)"
PROJECT = "(the project that is chosen)"

_PLACE = {"Connection": PROJECT, "Project ID": SETTLED}
_QUERY = _PLACE | {"Region and Domain": SETTLED}
_DATA = _PLACE | {"Data and Domain": SETTLED}
_UPDATES = {"Connection": PROJECT, "Redirect": "redirect", "Region": SETTLED, "Verbose": SETTLED}
_IDENTITY = _UPDATES | {"Project Token": SETTLED, "Strict": SETTLED}
_HTTP = {
    "Connection": PROJECT,
    "Data": "text",
    "File Data": "files",
    "File Data File Names": "file_names",
    "Form Data": "form",
    "Header": "headers",
    "Max Retry Count": "max_retries",
    "Method": "method",
    "Query Parameter": "query",
    "Response Type": "response_type",
    "Retry On All Errors": "retry_all_errors",
    "Retry Delay (ms)": "retry_delay_ms",
    "Timeout": "timeout_ms",
    "URL": "url",
    "Use Exponential Backoff": "exponential_backoff",
}

INPUTS: dict[str, dict[str, str]] = {
    "": {"Password": PROJECT, "Project Token": PROJECT, "Username": PROJECT},
    "funnels": _QUERY | {"Workspace ID": "workspace_id"},
    "pipelines": _DATA,
    "createAlias": _IDENTITY | {"Alias": "alias", "Distinct ID": "distinct_id"},
    "createGCSPipeline": _DATA
    | {
        "Events": "events",
        "Frequency": "frequency",
        "From Date": "from_date",
        "GCS Bucket": "gcs_bucket",
        "GCS Prefix": "gcs_prefix",
        "GCS Region": "gcs_region",
        "To Date": "to_date",
        "Trial": "trial",
        "Where": "where",
    },
    "createGenericPipeline": _HTTP | {"Data and Domain": SETTLED},
    "createIdentity": _IDENTITY | {"Anon ID": "$anon_id", "Identified ID": "$identified_id"},
    "createProfile": _UPDATES | {"Properties": BODY},
    "customJQLQuery": _QUERY | {"Params": "params", "Script": "script", "Workspace ID": "workspace_id"},
    "deletePipeline": _DATA | {"Name": "name", "Use Project Token": "use_project_token"},
    "deleteProfile": _UPDATES | {"Delete Profiles": BODY},
    "downloadData": _DATA
    | {
        "Event Name": "event",
        "From Date": "from_date",
        "Gzip Encoding": "gzip",
        "Limit": "limit",
        "To Date": "to_date",
        "Where": "where",
    },
    "editGCSPipeline": _DATA | {"Events": "events", "Name": "name", "Where": "where"},
    "editGenericPipeline": _HTTP | {"Data and Domain": SETTLED, "Name": "name"},
    "getPipeline": _DATA | {"Name": "name", "Status": "status", "Summary": "summary"},
    "importEvents": _PLACE | {"Events": BODY, "Region": SETTLED, "Use Project Token": "use_project_token"},
    "listPipelines": _DATA,
    "listSavedFunnels": _QUERY | {"Use Project Token": "use_project_token", "Workspace ID": "workspace_id"},
    "queryFunnelSavedReports": _QUERY
    | {
        "From Date": "from_date",
        "Funnel ID": "funnel_id",
        "Interval": "interval",
        "Length": "length",
        "Length Unit": "length_unit",
        "Limit": "limit",
        "On": "on",
        "To Date": "to_date",
        "Unit": "unit",
        "Use Project Token": "use_project_token",
        "Where": "where",
        "Workspace ID": "workspace_id",
    },
    "queryInsightsSavedReports": _QUERY | {"Bookmark ID": "bookmark_id", "Workspace ID": "workspace_id"},
    "queryProfiles": _QUERY
    | {
        "As Of Timestamp": "as_of_timestamp",
        "Behaviors": "behaviors",
        "Distinct IDs": "distinct_ids",
        "Filter By Cohort": "filter_by_cohort",
        "Include All Users": "include_all_users",
        "Output Properties": "output_properties",
        "Page": "page",
        "Session ID": "session_id",
        "Where": "where",
        "Workspace ID": "workspace_id",
    },
    "rawRequest": _HTTP | {"Base URL": "base_url"},
    "trackEvents": _UPDATES | {"Events": BODY, "Img": "img", "IP": "ip", "Use Project Token": "use_project_token"},
    "updateMultipleProfiles": _UPDATES | {"Properties To Update": BODY},
}

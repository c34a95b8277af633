"""Data pipelines: deprecated by Mixpanel, for whoever still has them (mixpanel-facts 3.13)."""

from dataclasses import replace

from outbound.operations.common_params import NO_TOKEN, PROJECT_ID
from outbound.operations.types import Example, Operation, Param

DEPRECATED = "Mixpanel has deprecated this API: pipelines that exist go on, new ones are made in Mixpanel's own pages."
GCS_REGIONS = (
    *("northamerica-northeast1", "us-central1", "us-east1", "us-east4", "us-west1", "us-west2", "southamerica-east1"),
    *("europe-north1", "europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "asia-east1"),
    *("asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1", "asia-southeast1"),
    "australia-southeast1",
)
TYPES = ("gcs-raw", "s3-raw", "azure-raw", "bigquery", "snowflake", "aws", "azure-blob", "gcs-schema")
GROUP = "Data pipelines"

_PROJECT = replace(PROJECT_ID, place="form")
_NAME = Param(
    "name",
    "form",
    "text",
    "Pipeline",
    "Its name.",
    required=True,
    example="events-daily-gcs",
    pick="list-warehouse-pipeline-jobs",
)
_EVENTS = Param("events", "form", "list", "Events", "Only these; all where it is empty.", encoded=False)
_WHERE = Param("where", "form", "code", "Where", 'An expression such as properties["plan"] == "pro".')


def _text(name: str, words: str, *, secret: bool = False) -> Param:
    return Param(name, "form", "text", words, secret=secret)


_COMMON = (
    Param("trial", "form", "bool", "Trial", "A daily trial with yesterday's data."),
    Param(
        "data_source", "form", "choice", "What", "Events or people.", choices=("events", "people"), also=("dataSource",)
    ),
    Param(
        "from_date",
        "form",
        "date",
        "From",
        "Not more than six months ago; not needed for a trial.",
        default="{month_ago}",
        also=("fromDate",),
    ),
    Param("to_date", "form", "date", "To", "Empty: without an end.", also=("toDate",)),
    Param("frequency", "form", "choice", "How often", choices=("daily", "hourly")),
    _EVENTS,
    _WHERE,
)
_GCS = (
    Param("gcs_bucket", "form", "text", "GCS bucket", also=("gcsBucket",)),
    Param("gcs_region", "form", "choice", "GCS region", choices=GCS_REGIONS, also=("gcsRegion",)),
    Param("gcs_prefix", "form", "text", "GCS prefix", also=("gcsPrefix",)),
)
_OTHERS = (
    Param("data_format", "form", "choice", "Format", choices=("json", "parquet")),
    Param("sync", "form", "choice", "Keep in step", "Needed for tables.", choices=("true",)),
    Param("schema_type", "form", "choice", "Schema", choices=("monoschema", "multischema")),
    _text("s3_bucket", "S3 bucket"),
    _text("s3_region", "S3 region"),
    _text("s3_role", "S3 role"),
    _text("s3_prefix", "S3 prefix"),
    Param("s3_encryption", "form", "choice", "S3 encryption", choices=("none", "aes", "kms")),
    _text("s3_kms_key_id", "S3 KMS key id"),
    _text("storage_account", "Azure storage account"),
    _text("container_name", "Azure container"),
    _text("prefix", "Azure prefix"),
    _text("client_id", "Azure client id"),
    _text("client_secret", "Azure client secret", secret=True),
    _text("tenant_id", "Azure tenant id"),
    _text("bq_region", "BigQuery region"),
    _text("gcp_project", "BigQuery project"),
    _text("bq_dataset_name", "BigQuery dataset"),
    _text("bq_prefix", "BigQuery prefix"),
    _text("snowflake_account_name", "Snowflake account"),
    _text("snowflake_warehouse", "Snowflake warehouse"),
    _text("snowflake_storage_integration", "Snowflake storage integration"),
    _text("snowflake_user", "Snowflake user"),
    _text("snowflake_password", "Snowflake password", secret=True),
    _text("snowflake_role", "Snowflake role"),
    _text("snowflake_database", "Snowflake database"),
    _text("snowflake_schema", "Snowflake schema"),
    _text("snowflake_prefix", "Snowflake prefix"),
    Param("use_glue", "form", "bool", "Use AWS Glue"),
    _text("glue_database", "Glue database"),
    _text("glue_role", "Glue role"),
    _text("glue_table_prefix", "Glue table prefix"),
)

_CREATE = Operation(
    "create-warehouse-pipeline",
    "Create a pipeline",
    "Export data regularly to a warehouse or a bucket.",
    GROUP,
    "pipelines",
    "POST",
    "/nessie/pipeline/create",
    ("service-account",),
    params=(
        Param("type", "form", "choice", "Where to", required=True, choices=TYPES, default="gcs-raw"),
        *_COMMON,
        *_GCS,
        *_OTHERS,
        _PROJECT,
    ),
    body="form",
    answer="pipeline",
    repeat="never",
    note=DEPRECATED,
    examples=(
        Example(
            "Raw events into Google Cloud Storage",
            {
                "type": "gcs-raw",
                "gcs_bucket": "my-exports",
                "gcs_region": "europe-west1",
                "from_date": "{month_ago}",
                "events": ["Signed up", "Order paid"],
            },
        ),
    ),
    reference="create-warehouse-pipeline",
)
_EDIT = Operation(
    "edit-warehouse-pipeline",
    "Edit a pipeline",
    "Change which events a pipeline exports, or its credentials.",
    GROUP,
    "pipelines",
    "POST",
    "/nessie/pipeline/edit",
    ("service-account",),
    params=(
        _NAME,
        _EVENTS,
        _WHERE,
        _text("azure_client_id", "Azure client id"),
        _text("azure_client_secret", "Azure client secret", secret=True),
        _text("azure_tenant_id", "Azure tenant id"),
        Param(
            "bq_share_with_group", "form", "list", "Share BigQuery with", "Group addresses; only adds.", encoded=False
        ),
        _text("glue_database", "Glue database"),
        _text("glue_role", "Glue role"),
        _text("glue_table_prefix", "Glue table prefix"),
        _PROJECT,
    ),
    body="form",
    answer="pipeline",
    shape="any",
    empty=(200, 204),
    note=DEPRECATED,
    examples=(Example("Other events", {"name": "events-daily-gcs", "events": ["Signed up"]}),),
    reference="edit-warehouse-pipeline",
)


def _switch(identifier: str, name: str, words: str, path: str, *also: str, more: tuple[Param, ...] = ()) -> Operation:
    return replace(
        _EDIT,
        id=identifier,
        name=name,
        words=words,
        path=path,
        params=(_NAME, *more, _PROJECT),
        also=also,
        examples=(Example("One pipeline", {"name": "events-daily-gcs"}),),
        reference=identifier,
    )


def _look(identifier: str, name: str, words: str, path: str, *params: Param, also: tuple[str, ...] = ()) -> Operation:
    given = {param.name: param.example for param in params if param.example is not None}
    return replace(
        _EDIT,
        id=identifier,
        name=name,
        words=words,
        method="GET",
        path=path,
        params=(*params, PROJECT_ID),
        body="none",
        answer="json",
        shape="object",
        empty=(),
        writes=False,
        also=also,
        examples=(Example("Now", given),),
        reference=identifier,
    )


_LOOKED_AT = replace(_NAME, place="query")

OPERATIONS = (
    _CREATE,
    replace(
        _CREATE,
        id="create-gcs-pipeline",
        name="Create a pipeline into Google Cloud Storage",
        words="Export raw events regularly into a bucket of Google Cloud Storage.",
        params=(
            Param("type", "form", "text", "Where to", fixed=True, default="gcs-raw"),
            Param("data_source", "form", "text", "What", fixed=True, default="events"),
            Param("data_format", "form", "text", "Format", fixed=True, default="json"),
            replace(_GCS[0], required=True),
            replace(_GCS[1], required=True, default=GCS_REGIONS[0]),
            _GCS[2],
            *(param for param in _COMMON if param.name != "data_source"),
            _PROJECT,
        ),
        also=("createGCSPipeline",),
        examples=(Example("Two events", {"gcs_bucket": "my-exports", "events": ["Signed up", "Order paid"]}),),
    ),
    _EDIT,
    replace(
        _EDIT,
        id="edit-gcs-pipeline",
        name="Edit a pipeline into Google Cloud Storage",
        words="Change which events it exports.",
        params=(_NAME, _EVENTS, _WHERE, _PROJECT),
        also=("editGCSPipeline",),
    ),
    _switch(
        "cancel-warehouse-pipeline",
        "Delete a pipeline",
        "End a pipeline for good. Its history is lost.",
        "/nessie/pipeline/cancel",
        "deletePipeline",
        more=(NO_TOKEN,),
    ),
    _switch("pause-warehouse-pipeline", "Pause a pipeline", "Stop exporting until resumed.", "/nessie/pipeline/pause"),
    _switch("resume-warehouse-pipeline", "Resume a pipeline", "Go on after a pause.", "/nessie/pipeline/resume"),
    _look(
        "list-warehouse-pipeline-jobs",
        "List pipelines",
        "All pipelines of the project.",
        "/nessie/pipeline/jobs",
        also=("listPipelines", "pipelines"),
    ),
    _look(
        "get-warehouse-pipeline-status",
        "Status of a pipeline",
        "How its latest runs went.",
        "/nessie/pipeline/status",
        _LOOKED_AT,
        Param("summary", "query", "choice", "Only counts", choices=("true", "false")),
        Param(
            "status",
            "query",
            "list",
            "Only these states",
            "pending, running, retried, failed, canceled, timed_out",
            choices=("pending", "running", "retried", "failed", "canceled", "timed_out"),
            encoded=False,
        ),
        also=("getPipeline",),
    ),
    _look(
        "list-warehouse-pipeline-sync-dates",
        "Timeline of a pipeline",
        "On which days it exported.",
        "/nessie/pipeline/timeline",
        replace(_LOOKED_AT, required=False),
    ),
)

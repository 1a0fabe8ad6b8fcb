"""An Airflow DAG that starts the Airbyte connection of each part and waits for all of them.

It needs the package apache-airflow-providers-airbyte, a connection `airbyte_default` to your Airbyte, and a
variable `codat_connections` that holds what `terraform output -json connection_ids` prints.
"""

from datetime import datetime, timedelta, timezone

from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator
from airflow.sdk import Variable, dag, task

AT_ONCE = 2  # what main.tf divides the requests by


@dag(
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
)
def codat() -> None:
    """Sync all parts, so many at once."""

    @task
    def connections() -> list[str]:
        """Give the ids of the connections."""
        return list(Variable.get("codat_connections", deserialize_json=True).values())

    AirbyteTriggerSyncOperator.partial(
        task_id="sync",
        airbyte_conn_id="airbyte_default",
        deferrable=True,
        timeout=timedelta(hours=12).total_seconds(),
        retries=2,
        max_active_tis_per_dag=AT_ONCE,
    ).expand(connection_id=connections())


codat()

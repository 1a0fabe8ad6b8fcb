"""A Dagster job whose partitions are the parts: each run reads one part, and all write into one warehouse.

`python dagster_job.py` runs all parts, each in a process of its own, for a trial without Dagster's services.
CODAT_PARTS says how many parts there are, DAGSTER_HOME where Dagster notes its runs; all else is configured
as for `load_part.py`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import dagster
from load_part import Settings, load_part

PARTS = int(os.environ.get("CODAT_PARTS", "4"))
parts = dagster.StaticPartitionsDefinition([f"{number}/{PARTS}" for number in range(1, PARTS + 1)])


@dagster.asset(
    partitions_def=parts,
    retry_policy=dagster.RetryPolicy(max_retries=2, delay=60),
    description="The tables of Codat's streams in the warehouse.",
)
def codat(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult[None]:
    """Read one part of the companies into the tables."""
    arrived = load_part(context.partition_key, Settings.from_environment())
    return dagster.MaterializeResult(metadata={"records": arrived})


read_parts = dagster.define_asset_job("read_parts", selection=[codat], partitions_def=parts)


@dagster.schedule(job=read_parts, cron_schedule="0 5 * * *")
def every_morning() -> Iterator[dagster.RunRequest]:
    """Start a run for each part."""
    for part in parts.get_partition_keys():
        yield dagster.RunRequest(partition_key=part)


definitions = dagster.Definitions(assets=[codat], jobs=[read_parts], schedules=[every_morning])


def run(part: str) -> None:
    """Run the job for one part, in this process."""
    with dagster.DagsterInstance.get() as instance:
        definitions.resolve_job_def("read_parts").execute_in_process(partition_key=part, instance=instance)


if __name__ == "__main__":
    with dagster.DagsterInstance.get():
        pass  # makes Dagster's own database, over which several processes at once would fall
    with ProcessPoolExecutor(PARTS, get_context("spawn")) as processes:
        list(processes.map(run, parts.get_partition_keys()))

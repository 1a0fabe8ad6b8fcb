"""A Dagster job whose partitions are the parts: each run reads one part, and all write into one warehouse.

CODAT_PARTS says how many parts there are; the rest of the configuration is that of `load_part.py`.
"""

import os
from collections.abc import Iterator

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

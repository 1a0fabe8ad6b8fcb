"""Realistic change: records that appear, change and are deleted, each by a sync."""

from __future__ import annotations

from random import Random

from codat_simulator.definitions.data_types import DATA_TYPES
from codat_simulator.generators.generate import generate
from codat_simulator.generators.maker import amount, note
from codat_simulator.world.companies import Company
from codat_simulator.world.world import World


def evolve(world: World, seed: int = 0, changes: int = 10) -> dict[str, int]:
    """Make so many changes, in finished syncs; return how many were new, changed and deleted."""
    with world.lock:
        return _evolve(world, Random(f"evolve/{seed}"), changes)


def _evolve(world: World, rng: Random, changes: int) -> dict[str, int]:
    made = {"new": 0, "changed": 0, "deleted": 0}
    companies = [
        company
        for company in world.known_companies()
        if any(link.readable and link.platform.data_types() for link in company.connections)
    ]
    while companies and sum(made.values()) < changes:
        company = rng.choice(companies)
        places = _places(world, company)
        if not places:
            companies.remove(company)
            continue
        connection_id, data_type = rng.choice(places)
        company_id = company.id
        batch = min(rng.randrange(1, 6), changes - sum(made.values()))

        def change(
            company_id: str = company_id,
            connection_id: str = connection_id,
            data_type: str = data_type,
            left: int = batch,
        ) -> None:
            for _ in range(left):
                made[_one(world, rng, company_id, connection_id, data_type)] += 1

        world.sync(company_id, data_type, connection_id, changes=change)
    return made


def _places(world: World, company: Company) -> list[tuple[str, str]]:
    """Return the connections and data types of a company that hold records."""
    return [
        (link.id, key)
        for link in company.connections
        if link.readable
        for key in link.platform.data_types()
        if DATA_TYPES[key].is_list and world.supports(company, link.platform, key)
    ]


def _one(world: World, rng: Random, company_id: str, connection_id: str, data_type: str) -> str:
    link = world.connection(company_id, connection_id)
    dataset = link.dataset(data_type)
    kind = rng.choices(("changed", "new", "deleted"), (6, 3, 1))[0]
    named = [row.key for row in dataset.sample(rng) if not row.key.startswith("\0")]
    if kind == "new" or not named:
        number = dataset.next_number()
        record = generate(link.maker(), data_type, number)
        group = None
        if data_type == "bankTransactions":
            accounts = list(link.dataset("bankAccounts").rows)
            group = rng.choice(accounts) if accounts else None
        world.put(company_id, data_type, record, connection_id, account_id=group)
        return "new"
    record_id = rng.choice(named)
    if kind == "deleted":
        world.delete(company_id, data_type, record_id, connection_id)
        return "deleted"
    fields = set(DATA_TYPES[data_type].shape.kinds)
    if "totalAmount" in fields:
        world.change(company_id, data_type, record_id, connection_id, totalAmount=amount(rng))
    elif "name" in fields:
        world.change(company_id, data_type, record_id, connection_id, name=f"Renamed {rng.randrange(10**6)}")
    elif "description" in fields:
        world.change(company_id, data_type, record_id, connection_id, description=note(rng))
    else:
        world.change(company_id, data_type, record_id, connection_id)
    return "changed"

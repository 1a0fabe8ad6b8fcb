"""Scenes that chance plays too seldom: what happens before, during and after a read, in a set order."""

from __future__ import annotations

from dataclasses import dataclass

from tools.model.answers import Refused
from tools.model.clock import SECOND
from tools.model.world import COMPLETE, SOURCE_TYPES, WAITING, Company, Connection, Sync, World

_DAY = 24 * 3600 * SECOND


@dataclass
class Scene:
    """Nothing happens. data_type: of the stream that the story is about."""

    world: World
    data_type: str

    def before_read(self) -> None:
        """What happens before a read begins."""

    def at_request(self, company: Company, asked: str, number: int) -> None:
        """What happens when something is asked for, just before the answer."""
        if company is self.company and asked == "dataStatus":
            self.at_look()
        elif company is self.company and asked == self.data_type:
            self.at_page(number)

    def hides(self, company: Company, data_type: str) -> bool:  # noqa: ARG002 - other scenes look at them
        """Whether dataStatus doesn't name a data type."""
        return False

    def at_look(self) -> None:
        """What happens when dataStatus is asked for."""

    def at_page(self, number: int) -> None:
        """What happens when a page of rows is asked for; the first has number 1."""

    def after_read(self) -> None:
        """What happens when a read has ended, however it did."""

    @property
    def company(self) -> Company:
        """The company that the scene plays in."""
        return next(iter(self.world.companies.values()))

    def connections(self, least: int) -> list[Connection]:
        """The company's connections that sync and hold the data type; missing ones are linked."""
        world, kind = self.world, SOURCE_TYPES[self.data_type]
        held = [one for one in self.company.connections if one.kind == kind]
        for one in held:
            one.status = "Linked"
        while len(held) < least:
            held.append(world.link(self.company, kind, status="Linked"))
        return held

    def synced(self, one: Connection, *operations: str, data_type: str = "") -> None:
        """Let a Codat sync of a connection bring these changes, from its request to its good end."""
        sync = self.under_way(one, data_type or self.data_type)
        for operation in operations:
            self.world.stage(self.company, sync, operation)
        self.world.finish(self.company, sync, COMPLETE)

    def under_way(self, one: Connection, data_type: str) -> Sync:
        """A connection's Codat sync that runs: the one that there is, or a new one."""
        world = self.world
        sync = self.company.active.get((one.id, data_type)) or self._requested(one, data_type)
        if sync.waiting:
            world.start(self.company, sync)
        return sync

    def waits(self, one: Connection) -> None:
        """Let a connection have a Codat sync that only waits; one that runs ends first."""
        company, world, name = self.company, self.world, self.data_type
        sync = company.active.get((one.id, name))
        if sync is not None and not sync.waiting:
            world.finish(company, sync, COMPLETE)
            sync = None
        if sync is None:
            self._requested(one, name).status = world.rng.choice(WAITING)

    def _requested(self, one: Connection, data_type: str) -> Sync:
        # No two of one second: what only the first had would pass for current (docs/behaviour.md).
        self.world.clock.now += SECOND + 1000
        return self.world.request(self.company, one, data_type)


class FailsBetweenPages(Scene):
    """Behind another connection's good sync, one that waited swaps a row between two pages, and fails."""

    def before_read(self) -> None:
        """Give the first connection rows for several pages, and a sync that waits behind another's."""
        first, second = self.connections(2)[:2]
        if len(self.company.rows.get((first.id, self.data_type), ())) < 4:
            self.synced(first, *["new"] * 4)
        self.waits(first)
        self.synced(second, "new")

    def at_page(self, number: int) -> None:
        """Swap a row when the second page is asked for."""
        first = self.connections(2)[0]
        if number == 2 and (first.id, self.data_type) in self.company.active:
            sync = self.under_way(first, self.data_type)
            for operation in ("vanish", "new"):
                self.world.stage(self.company, sync, operation, shown=True)
            self.world.finish(self.company, sync, "FetchError")


class SyncsBetweenPages(Scene):
    """A whole sync swaps a row between two pages."""

    def before_read(self) -> None:
        """Give the connection rows for several pages."""
        one = self.connections(1)[0]
        if len(self.company.rows.get((one.id, self.data_type), ())) < 4:
            self.synced(one, *["new"] * 4)

    def at_page(self, number: int) -> None:
        """Swap a row when the second page is asked for."""
        if number == 2:
            self.synced(self.connections(1)[0], "vanish", "new")


class BehindAnother(Scene):
    """What one connection brings after a read is followed by another's good sync, which alone is shown."""

    waits_before = False
    between = 0  # microseconds

    def before_read(self) -> None:
        """Let the other connection's sync be the last that ended."""
        first, second = self.connections(2)[:2]
        if self.waits_before:
            self.waits(first)
        self.synced(second)

    def after_read(self) -> None:
        """Let the first bring a row, and the other nothing."""
        first, second = self.connections(2)[:2]
        self.synced(first, "new")
        self.world.clock.now += self.between
        self.synced(second)


class LongBehindAnother(BehindAnother):
    """The other's good sync comes when the first's is longer ago than the history is asked for."""

    between = 40 * _DAY


class WaitedBehindAnother(BehindAnother):
    """What the first connection brings was requested before the read."""

    waits_before = True


class ParentBetweenPages(Scene):
    """A bank account, and a transaction in it, come while the only other account's are paged."""

    has_come = False

    def before_read(self) -> None:
        """Give the connection an account with transactions for several pages."""
        one = self.connections(1)[0]
        if not self.company.rows.get((one.id, "bankAccounts")):
            self.synced(one, "new", data_type="bankAccounts")
        if len(self.company.rows.get((one.id, self.data_type), ())) < 4:
            self.synced(one, *["new"] * 4)

    def at_page(self, number: int) -> None:
        """Let the account come when the second page is asked for."""
        if number != 2 or self.has_come:
            return
        self.has_come = True
        one = self.connections(1)[0]
        self.synced(one, "new", data_type="bankAccounts")
        for _ in range(4):
            self.synced(one, "new")


class ManyParents(Scene):
    """A connection has so many bank accounts that their list comes in several pages."""

    def before_read(self) -> None:
        """Give the connection its accounts, and most of them transactions."""
        one = self.connections(1)[0]
        if len(self.company.rows.get((one.id, "bankAccounts"), ())) < 8:
            self.synced(one, *["new"] * 8, data_type="bankAccounts")
            self.synced(one, *["new"] * 12)


class EndsAfterTheSecondPass(Scene):
    """A Codat sync that ran through two equal passes shows, before the last look, what it stamped early."""

    passes = 0

    def before_read(self) -> None:
        """Let a sync run that has stamped a row which isn't shown, and then one that is."""
        one = self.connections(1)[0]
        if len(self.company.rows.get((one.id, self.data_type), ())) < 3:
            self.synced(one, *["new"] * 3)
        self.passes = 0
        sync = self.under_way(one, self.data_type)
        self.world.stage(self.company, sync, "new", shown=False)
        self.world.clock.now += 2 * SECOND
        self.world.stage(self.company, sync, "new", shown=True)

    def at_page(self, number: int) -> None:
        """Count the passes."""
        self.passes += number == 1

    def at_look(self) -> None:
        """Let the sync end."""
        one = self.connections(1)[0]
        if self.passes == 2 and (one.id, self.data_type) in self.company.active:
            self.synced(one)


class NewcomerBehindOneThatWaits(Scene):
    """A connection that was linked after the list syncs, and the one that was listed waits for its own."""

    def before_read(self) -> None:
        """Let the connections that there are have synced well."""
        for one in self.connections(1):
            self.synced(one, "new")

    def at_look(self) -> None:
        """Let the other come: it has stamped a row which isn't shown, and then one that is."""
        first = self.connections(1)[0]
        if len(self.company.connections) > 1:
            return
        second = self.world.link(self.company, first.kind, status="Linked")
        sync = self.under_way(second, self.data_type)
        self.world.stage(self.company, sync, "new", shown=False)
        self.world.clock.now += 2 * SECOND
        self.world.stage(self.company, sync, "new", shown=True)
        self.waits(first)

    def after_read(self) -> None:
        """Let what runs end well."""
        for one in self.connections(1):
            self.synced(one)


class RefusedUnnamed(Scene):
    """What runs is neither named nor there, once; it ends well, and another connection's sync after it."""

    is_over = False

    def before_read(self) -> None:
        """Let the first connection's sync run."""
        if not self.is_over:
            first, second = self.connections(2)[:2]
            self.synced(first, "new")
            self.synced(second, "new")
            self.under_way(first, self.data_type)

    def hides(self, company: Company, data_type: str) -> bool:
        """Name nothing of the company in the first read."""
        return company is self.company and data_type == self.data_type and not self.is_over

    def at_page(self, number: int) -> None:  # noqa: ARG002 - no page is there
        """Refuse all rows in the first read."""
        if not self.is_over:
            raise Refused(404)

    def after_read(self) -> None:
        """Let both end well, the second last."""
        if not self.is_over:
            for one in self.connections(2)[:2]:
                self.synced(one, "new")
        self.is_over = True


SCENES: dict[str, type[Scene]] = {
    "fails between pages": FailsBetweenPages,
    "syncs between pages": SyncsBetweenPages,
    "behind another": BehindAnother,
    "long behind another": LongBehindAnother,
    "waited behind another": WaitedBehindAnother,
    "parent between pages": ParentBetweenPages,
    "many parents": ManyParents,
    "ends after the second pass": EndsAfterTheSecondPass,
    "refused and not named": RefusedUnnamed,
    "newcomer behind one that waits": NewcomerBehindOneThatWaits,
    "": Scene,
}


def scene_of(world: World, name: str, data_type: str) -> Scene:
    """The scene of a name, if this world can play it; else one in which nothing happens."""
    found = SCENES[name]
    needs_parents = found in (ParentBetweenPages, ManyParents)
    has_parents = data_type == "bankTransactions"
    return (found if needs_parents is has_parents else Scene)(world, data_type)

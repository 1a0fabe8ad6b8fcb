"""One story: a world, some reads while it lives, and what must have arrived when it is quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStream,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    TraceType,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_codat.foundation import timestamps
from source_codat.foundation.errors import ReadStopped
from source_codat.planning.planner import PlannedPartition
from source_codat.reading.reader import Finished
from source_codat.reading.rows import RowBatch
from tools.model import oracle
from tools.model.answers import Front
from tools.model.clock import SECOND, VIRTUAL, Clock, render
from tools.model.connector import KEY, in_place, source
from tools.model.nature import Nature, Use
from tools.model.oracle import Asked, Broken, Idle, Snapshot, Table
from tools.model.scenes import SCENES, scene_of
from tools.model.streams import SELECTIONS, STREAMS, Place, StreamKind
from tools.model.world import COMPLETE, World

_STREAM = {
    name: AirbyteStream(name=name, json_schema={}, supported_sync_modes=[SyncMode.full_refresh])
    for name in STREAMS
}
_PAUSES = (0, SECOND, 90 * SECOND, 3600 * SECOND, 24 * 3600 * SECOND)
_SEVERAL = 2  # connections
_DAY = 24 * 3600 * SECOND


@dataclass
class Read:
    """One read: how it is asked for, and what it came to."""

    config: dict[str, Any]
    kill: int | None
    stop: int | None
    quiet: bool
    complete: set[str] = field(default_factory=set)
    killed: bool = False
    error: str = ""


class Story:
    """Plays what a seed stands for; `play` raises Broken where something is lost."""

    def __init__(self, seed: int, *, tell: bool = False, given: Mapping[str, Any] | None = None) -> None:
        self.seed = seed
        rng = self.rng = Random(f"model/{seed}")
        self.use = Use.drawn(rng, SELECTIONS, tuple(SCENES))
        given = given or {}
        _set(self.use, given)
        names = self.use.streams
        self.streams = [STREAMS[name] for name in names]
        self.modes = {one.name: self._drawn_mode(one) for one in self.streams}
        needed = {name for one in self.streams for name in (one.data_type, *one.needs)}
        data_types = tuple(sorted(needed))
        kinds = tuple(sorted({one.source_type for one in self.streams}))
        self.clock = VIRTUAL.clock = Clock()
        self.clock.now = rng.randrange(30 * 24 * 3600) * SECOND
        self.nature = Nature.drawn(rng, kinds, data_types)
        _set(self.nature, given)
        if any(not source().built[name].retriever.data_types for name in names):
            self.nature.kindless = 0.0  # what no data type tells of is asked of the right kind only
        if any(one.by_codat_sync for one in self.streams):
            # Dates that go back, after a read that noted nothing, keep old rows in place: docs/behaviour.md.
            self.nature.sync_time, self.nature.forgets = "done", False
        is_sure = self.nature.totals == "right" and not any(one.row_key for one in self.streams)
        if not is_sure and "restless" not in given:
            # Nothing tells equal rows from one that comes twice, or how many rows there are, and lists are so
            # short that the same rows come twice by chance.
            self.nature.restless = False
        self.world = World(rng, self.nature, self.clock, tell=tell)
        self.scene = scene_of(self.world, self.use.scene, self.streams[0].data_type)
        self.front = Front(self.world, rng, self.scene)
        self.tables = {one.name: Table() for one in self.streams}
        self.states: dict[str, AirbyteStateMessage] = {}
        self.older: list[dict[str, AirbyteStateMessage]] = []
        # By stream, the partitions whose rows without a date the connector knows of: it read all of them.
        self.read_whole: dict[str, set[tuple[str, ...]]] = {one.name: set() for one in self.streams}
        # Stream and key of those where such rows came: all of them will be read in every later read.
        self.undated: set[tuple[str, ...]] = set()
        self.counts: Counter[str] = Counter()
        self.config: dict[str, Any] = {
            "api_key": KEY,
            "page_size": self.use.page_size,
            "skip_unchanged": rng.random() < 0.8,
            "deleted_records": "keep" if rng.random() < 0.8 else "leave_out",
            "lookback_hours": 1 if rng.random() < 0.05 else 0,
        }
        self._draw_start()
        self.source = source()
        self.source.rng, self.source.front = rng, self.front
        self.source.disorder, self.source.ahead = rng.choice((0.0, 0.3)), rng.choice((0.0, 0.3))
        self._bytes_per_state_byte = rng.choice((0, 0, 1, 10))
        self.catalog = ConfiguredAirbyteCatalog(
            streams=[
                ConfiguredAirbyteStream(
                    stream=_STREAM[one.name],
                    sync_mode=self.modes[one.name],
                    destination_sync_mode=DestinationSyncMode.append,
                )
                for one in self.streams
            ]
        )

    def _drawn_mode(self, stream: StreamKind) -> SyncMode:
        if not stream.incremental or self.rng.random() < self.use.full_refresh:
            return SyncMode.full_refresh
        return SyncMode.incremental

    def _draw_start(self) -> None:
        if self.rng.random() < 0.15:
            days = self.rng.randrange(self.clock.now // _DAY + 1)
            self.config["start_date"] = render(days * _DAY, 0)[:10]
        else:
            self.config.pop("start_date", None)

    def play(self) -> Counter[str]:
        """Play the story; return what it came to."""
        with in_place(self._bytes_per_state_byte):
            return self._play()

    def _play(self) -> Counter[str]:
        rng, world = self.rng, self.world
        for _ in range(rng.choice((0, 5, 20, 60))):
            world.pass_by()
        for _ in range(self.use.reads):
            self._live_read()
            self.clock.now += rng.choice(_PAUSES)
            for _ in range(rng.choice((0, 1, 3, 10))):
                world.pass_by()
            self._turn_back()
        self._end()
        self.counts["stories"] += 1
        return self.counts

    def _turn_back(self) -> None:
        """Now and then other options, or a state that was left some reads ago."""
        rng = self.rng
        if rng.random() < self.use.turns and self.older:
            self.states = dict(rng.choice(self.older))
            self.undated.clear()
            for table in self.tables.values():
                table.dates.clear()  # as if the rows were of the time of that state
            self.world.tell("an older state is handed on")
        if rng.random() < self.use.foreign:
            self._spoil_state()
        if rng.random() < self.use.turns:
            self._draw_start()
            self.config["deleted_records"] = "keep" if rng.random() < 0.5 else "leave_out"
        self.config["skip_unchanged"] = rng.random() < 0.9

    def _spoil_state(self) -> None:
        """Let some entries of the state say that their partitions were read until long after now."""
        for state in self.states.values():
            blob = state.stream.stream_state if state.stream else None
            for entry in getattr(blob, "states", ()):
                if "modifiedDate" in entry["cursor"] and self.rng.random() < 0.5:
                    entry["cursor"]["modifiedDate"] = "2031-01-01T00:00:00Z"
                    self.world.tell(f"the state is spoiled: {entry}")

    def _live_read(self) -> None:
        rng, nature = self.rng, self.nature
        events, errors = nature.events, nature.errors
        if rng.random() < self.use.peace:
            nature.events, nature.errors = 0.0, 0.0  # a read in peace leaves a state worth losing
        self.scene.before_read()
        kill = rng.randrange(1, 30) if rng.random() < self.use.kills else None
        stop = rng.randrange(1, 30) if rng.random() < self.use.stops else None
        self._read(Read(self.config, kill, stop, quiet=False))
        self.scene.after_read()
        nature.events, nature.errors = events, errors

    def _end(self) -> None:
        """Let the world become quiet: two reads later, everything has arrived, and the third is idle."""
        rng = self.rng
        leave_waiting = rng.random() < 0.3
        self.front.scenery = scene_of(self.world, "", self.streams[0].data_type)
        self.world.settle(leave_waiting=leave_waiting)
        self.world.tell(f"the world is quiet{', some wait' if leave_waiting else ''}")
        for number in range(3):
            read = Read(self.config, None, None, quiet=True)
            idle = number == 2
            self._read(read)
            if read.error and not self._remembers_what_is_gone():
                raise self._broken(f"a read of a quiet world failed: {read.error}")
            if number:
                self._all_there(read)
            if idle:
                self._moves_on(leave_waiting=leave_waiting)
            self.clock.now += 70 * SECOND

    # --- one read

    def _read(self, read: Read) -> None:
        world, clock = self.world, self.clock
        world.tell(f"--- a read, {'to be killed' if read.kill else 'stopped' if read.stop else 'whole'}")
        self.front.begin_read()
        world.blinked.clear()
        before = Snapshot.of(world, self.streams)
        for one in self.streams:
            if self.modes[one.name] is SyncMode.full_refresh:
                self.tables[one.name] = Table()
        for table in self.tables.values():
            table.sent.clear()
        self.older.append(dict(self.states))
        messages = self.source.read_batches(read.config, self.catalog, list(self.states.values()))
        self._walk(read, messages)
        self.counts["reads"] += 1
        self.counts["requests"] += self.front.requests
        clock.now += SECOND
        wrong = oracle.own_errors(self.source.outbox.ends) or oracle.unsafe_cursor(
            self.source.outbox.ends, self.world
        )
        if wrong:
            raise self._broken(wrong)
        self._nothing_lost(read, before)

    def _walk(self, read: Read, messages: Any) -> None:
        """Take every message in, up to the one at which the read is killed or told to stop."""
        try:
            for count, message in enumerate(messages, 1):
                self._take(read, message)
                if count == read.kill:
                    read.killed = True
                    messages.close()
                    break
                if count == read.stop:
                    self.source.stop(ReadStopped("stopped"))
        except AirbyteTracedException as error:
            read.error = error.message or "an error"
        for table in self.tables.values():
            table.drop()
        self.world.tell(f"the read is over: {'killed' if read.killed else read.error or 'well'}")
        self.counts["kills"] += read.killed

    def _take(self, read: Read, message: Any) -> None:
        if isinstance(message, RowBatch):
            stream = STREAMS[message.stream]
            self.tables[message.stream].take(message, row_key=stream.row_key)
            self.counts["records"] += len(message)
        elif message.type is Type.STATE:
            name = message.state.stream.stream_descriptor.name
            self.tables[name].seal(_noted(message.state) if STREAMS[name].by_codat_sync else ())
            if self.modes[name] is SyncMode.incremental:
                self.states[name] = message.state
            if self.world.is_telling:
                self.world.tell(f"state of {name}: {message.state.stream.stream_state.__dict__}")
        elif message.type is Type.TRACE and message.trace.type is TraceType.STREAM_STATUS:
            status = message.trace.stream_status
            if status.status is AirbyteStreamStatus.COMPLETE:
                read.complete.add(status.stream_descriptor.name)

    # --- the promises

    def _asked(self, stream: StreamKind) -> Asked:
        start = self.config.get("start_date")
        marks = self.source.built[stream.name].retriever.marks_deleted
        wanted = timestamps.instant(start) if start and stream.incremental else None
        return Asked(wanted, self.config["deleted_records"] != "leave_out", marks)

    def _nothing_lost(self, read: Read, before: Snapshot) -> None:
        """What was there throughout has come, wherever the read calls itself complete."""
        self._note_what_was_read_whole(read, before)
        if read.killed:
            return
        good = oracle.good_ends(self.source.outbox.ends)
        for one in self.streams:
            if self.modes[one.name] is not SyncMode.full_refresh or one.name in read.complete:
                promised = partial(self._is_promised, one, good.get(one.name, set()))
                expected = list(before.stayed(self.world, one, promised))
                lost = oracle.missing(expected, self.tables[one.name], promised, or_sent=one.by_codat_sync)
                if lost:
                    raise self._broken(
                        f"there throughout a read, and not sent: {oracle.told(one.name, lost)}"
                    )

    def _is_promised(self, stream: StreamKind, good: set[tuple[str, ...]], place: Place) -> bool:
        """Whether a row has to come in a read in which these partitions ended well."""
        if not self._asked(stream).wants(place) or self._hides_behind_a_deleted_one(place.company):
            return False
        if self.modes[stream.name] is SyncMode.full_refresh:
            return not self._refused(stream, place.company, place.connection)
        return oracle.covers(good, place.partition) and self._can_be_found(stream, place)

    def _note_what_was_read_whole(self, read: Read, before: Snapshot) -> None:
        """Note which partitions' rows without a date the connector must know of, now and in later reads."""
        for end in self.source.outbox.ends:
            name, key = end.partition.stream.outcome.name, end.partition.key
            known = self.read_whole.get(name)
            if known is None or not isinstance(end.result, Finished) or not end.result.is_complete:
                continue
            known.discard(key)
            if read.killed:
                self.undated.discard((name, *key))  # what of it a state has noted, nobody knows
            if end.partition.since is not None or read.killed:
                continue
            known.add(key)
            has_undated = any(
                place.partition == key and place.row.version == version and place.row.stamp is None
                for place, version in before.stayed(
                    self.world, STREAMS[name], self._asked(STREAMS[name]).wants
                )
            )
            (self.undated.add if has_undated else self.undated.discard)((name, *key))

    def _can_be_found(self, stream: StreamKind, place: Place) -> bool:
        """Whether a row has a date, or the connector reads all of its partition, or has to."""
        if place.row.stamp is not None or place.partition in self.read_whole[stream.name]:
            return True
        return (stream.name, *place.partition) in self.undated and not self.config.get("start_date")

    def _refused(self, stream: StreamKind, company: str, connection: str) -> bool:
        """Whether Codat's first answer may have meant that there is nothing to read."""
        front, above = self.front, f"/companies/{company}"
        has_children = "invoice_attachments" in self.tables and stream.data_type == "invoices"
        if has_children and f"{above}/data/invoices" in front.refused_first_pages:
            return True  # the list of parents is read beside the stream of them, and either may be refused
        for path, status in front.refused.items():
            is_look = path.endswith("/dataStatus")
            concerns = is_look or f"/connections/{connection}/" in path or "/connections/" not in path
            says_nothing = status in (403, 404, 451) or (status == 409 and not is_look)
            if path.startswith(above) and concerns and says_nothing:
                return True
        return False

    def _all_there(self, read: Read) -> None:
        for one in self.streams:
            is_whole = self.modes[one.name] is not SyncMode.full_refresh or one.name in read.complete
            if not is_whole and not self._remembers_what_is_gone():
                raise self._broken(f"{one.name}: a full refresh of a quiet world isn't complete")
            if not is_whole:
                continue  # an INCOMPLETE stream replaces no table
            expected = [
                (place, place.row.version)
                for place in one.places(self.world)
                if self.modes[one.name] is SyncMode.full_refresh or self._can_be_found(one, place)
            ]
            lost = oracle.missing(expected, self.tables[one.name], self._asked(one).wants)
            if lost:
                raise self._broken(f"lost: {oracle.told(one.name, lost)}")
            if one.by_codat_sync and self.modes[one.name] is SyncMode.incremental:
                wrong = oracle.gone_but_current(
                    self.source.outbox.ends, one, self.tables[one.name], self.world
                )
                if wrong:
                    raise self._broken(wrong)

    def _moves_on(self, *, leave_waiting: bool) -> None:
        """A quiet world is found unchanged, and cursors are where its rows are."""
        skips = self.config["skip_unchanged"] and not leave_waiting
        for end in self.source.outbox.ends:
            name, key = end.partition.stream.outcome.name, end.partition.key
            stream = STREAMS.get(name)
            if stream is None or self.modes[name] is SyncMode.full_refresh:
                continue
            asked = self._asked(stream)
            places = [p for p in stream.places(self.world) if p.partition[: len(key)] == key]
            rows = [place.row for place in places if asked.wants(place)]
            if isinstance(end.result, Finished) and not end.result.is_complete:
                raise self._idle(f"{name} {key}: a quiet partition isn't complete")
            if not rows or any(place.row.stamp is None for place in places):
                continue
            if self._slow(stream, end.partition.company.id) or self._remembers_what_is_gone():
                continue
            if stream.row_key and any(place.row.id is None for place in places):
                continue
            if skips and self._shows_all(end.partition.company.id) and not oracle.is_unchanged(end):
                raise self._idle(f"{name} {key}: read again although nothing changed: {end.result}")
            is_dated_by_rows = not stream.by_codat_sync
            if is_dated_by_rows and not oracle.is_unchanged(end) and isinstance(end.result, Finished):
                self._cursor_is_there(name, end.partition, [row.text for row in rows])

    def _remembers_what_is_gone(self) -> bool:
        """Whether dataStatus and history still tell of a connection that is deleted."""
        return not self.nature.forgets and any(one.has_lost_one for one in self.world.companies.values())

    def _hides_behind_a_deleted_one(self, company: str) -> bool:
        """Whether dataStatus may show a deleted connection's complete sync while the only one left runs.

        The one thing that docs/behaviour.md, "Safe point", says isn't seen.
        """
        there = self.world.companies[company]
        return there.has_lost_one and not self.nature.forgets and len(there.connections) < _SEVERAL

    def _slow(self, stream: StreamKind, company: str) -> bool:
        """Whether doubt remains: a sync took longer than the history is asked for, or never ended well."""
        syncs = self.world.companies[company].syncs
        if not all(self.world.companies[company].opened(name, None) for name in stream.needs):
            return True
        return any(
            sync.done - sync.requested > _DAY
            for name in (stream.data_type, *stream.needs)
            for sync in syncs.get(name, ())
        )

    def _shows_all(self, company: str) -> bool:
        """Whether dataStatus and history leave no doubt of a quiet company.

        They may tell of a connection that is gone; and of several syncs in one second nobody knows whether
        one that failed was the last.
        """
        there = self.world.companies[company]
        if there.has_lost_one:
            return False
        syncs = [sync for syncs in there.syncs.values() for sync in syncs]
        return len(there.connections) < _SEVERAL or all(sync.status == COMPLETE for sync in syncs)

    def _cursor_is_there(self, name: str, partition: PlannedPartition, texts: list[str | None]) -> None:
        entry, key = partition.stream.entry(partition.key), partition.key
        known = [ticks for text in texts if (ticks := timestamps.instant(text or "")) is not None]
        latest = max(known, default=None)
        if latest is None or self.config.get("start_date"):
            return
        if entry is None or entry.cursor is None or entry.cursor < latest:
            shown = entry and entry.cursor and timestamps.iso(entry.cursor)
            raise self._idle(f"{name} {key}: the cursor is {shown}, its rows go to {timestamps.iso(latest)}")

    def _idle(self, text: str) -> Idle:
        return Idle(str(self._broken(text)))

    def _broken(self, text: str) -> Broken:
        modes = ", ".join(f"{name} ({mode.value})" for name, mode in self.modes.items())
        return Broken(f"seed {self.seed}: {text}\n    streams: {modes}; config: {self._shown_config()}")

    def _shown_config(self) -> dict[str, Any]:
        return {name: value for name, value in self.config.items() if name != "api_key"}


def _noted(state: AirbyteStateMessage) -> list[tuple[str, ...]]:
    """The partitions of which a state says from which Codat sync they were read."""
    entries = getattr(state.stream.stream_state, "states", ()) if state.stream else ()
    return [tuple(one["partition"].values()) for one in entries if "syncId" in one["cursor"]]


def _set(habits: Nature | Use, given: Mapping[str, Any]) -> None:
    """Fix the habits that are given."""
    for name, value in given.items():
        if hasattr(habits, name):
            setattr(habits, name, value)

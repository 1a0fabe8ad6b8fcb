"""What is asked of each new parent once: one that gives nothing keeps no other from being read."""

import pytest

from integration_tests.support.scripted import ScriptedCodat, page

VALIDATIONS = "read_validation_results"
WHOLE: dict[str, list[object]] = {"errors": [], "warnings": []}


def refusal(code):
    return code, {"statusCode": code, "error": "no", "correlationId": "0"}


def requested(number):
    return f"2024-03-{number:02}T00:00:00Z"


class History(ScriptedCodat):
    """A company's finished Codat syncs, a day apart, and an answer for the validation of each."""

    def __init__(self, number=4, statuses=None, **answers):
        super().__init__(self._answer)
        self.number, self.statuses, self.answers = number, statuses or {}, answers

    def _answer(self, path, query):
        if path.endswith("/validation"):
            return self.answers.get(path.split("/")[-2], WHOLE)
        if not path.endswith("/data/history"):
            return None
        since = query.get("query", "").partition("requested>=")[2]
        rows = [
            {"id": f"s{one}", "status": self.statuses.get(f"s{one}", "Complete"), "requested": requested(one)}
            for one in range(1, self.number + 1)
        ]
        return page([row for row in reversed(rows) if row["requested"] >= since[:10]], {**query, "query": ""})

    def asked_syncs(self):
        found = [path.split("/")[-2] for path, _ in self.asked if path.endswith("/validation")]
        self.asked.clear()
        return found


def read_syncs(said):
    return [one["datasetId"] for one in said.records(VALIDATIONS)]


def cursor(said):
    return [one["cursor"] for one in said.stream_state(VALIDATIONS)["states"]]


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
@pytest.mark.parametrize("code", [403, 405, 409, 451])
@pytest.mark.parametrize("which", ["s1", "s2", "s4"])
def test_one_parents_refusal_hides_no_other(code, which, mode):
    with History(**{which: refusal(code)}) as codat:
        said = codat.read(VALIDATIONS, mode=mode)
    assert set(read_syncs(said)) == {"s1", "s2", "s3", "s4"} - {which}
    assert (said.code, said.statuses(VALIDATIONS)[-1]) == (1, "INCOMPLETE")
    assert "1 answer of it didn't come" in said.errors[0]["message"]


@pytest.mark.parametrize("code", [403, 409])
def test_the_cursor_moves_up_to_what_is_missing_and_the_next_read_asks_from_there(code):
    with History(s3=refusal(code)) as codat:
        first = codat.read(VALIDATIONS)
        assert codat.asked_syncs() == ["s1", "s2", "s3", "s4"]
        assert cursor(first) == [{"requested": requested(3)}]
        again = codat.read(VALIDATIONS, state=first.state)
        assert codat.asked_syncs() == ["s3", "s4"]
        assert (again.code, cursor(again)) == (1, [{"requested": requested(3)}])
        codat.answers.clear()
        last = codat.read(VALIDATIONS, state=again.state)
        assert (last.code, read_syncs(last)) == (0, ["s3", "s4"])
        assert cursor(last) == [{"requested": requested(4)}]


def test_a_failure_of_one_holds_back_no_other(naps):
    with History(s2=(500, {"error": "no"})) as codat:
        said = codat.read(VALIDATIONS)
    assert (said.code, read_syncs(said), cursor(said)) == (
        1,
        ["s1", "s3", "s4"],
        [{"requested": requested(2)}],
    )
    assert naps


def test_where_nothing_but_failures_comes_the_rest_waits_for_the_next_read(naps):
    failing = {f"s{number}": (500, {"error": "no"}) for number in range(2, 21)}
    with History(20, **failing) as codat:
        said = codat.read(VALIDATIONS)
        assert set(codat.asked_syncs()) == {"s1", "s2", "s3", "s4"}
    assert (said.code, cursor(said)) == (1, [{"requested": requested(2)}])
    assert naps


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
@pytest.mark.parametrize("status", ["Cancelled", "FetchError", "ValidationError"])
def test_409_of_a_sync_that_never_became_complete_says_that_it_has_no_validation(status, mode):
    with History(statuses={"s1": status, "s3": status}, s1=refusal(409), s3=refusal(409)) as codat:
        said = codat.read(VALIDATIONS, mode=mode)
        assert (said.code, read_syncs(said)) == (0, ["s2", "s4"])
        if mode == "incremental":
            assert cursor(said) == [{"requested": requested(4)}]


def test_404_says_that_one_parent_has_nothing():
    with History(s1=refusal(404), s4=refusal(404)) as codat:
        said = codat.read(VALIDATIONS)
    assert (said.code, read_syncs(said), cursor(said)) == (0, ["s2", "s3"], [{"requested": requested(4)}])


def test_what_is_not_allowed_of_all_is_skipped_after_a_few_and_its_state_kept():
    with History(28, **{f"s{number}": refusal(403) for number in range(1, 29)}) as codat:
        said = codat.read(VALIDATIONS)
        assert len(codat.asked_syncs()) == 10
    assert (said.code, said.statuses(VALIDATIONS)[-1], cursor(said)) == (0, "COMPLETE", [])


def test_an_answer_that_cannot_be_read_is_missing_alone(naps):
    with History(s1=[5], s2={"statusCode": 500, "error": "no"}) as codat:
        said = codat.read(VALIDATIONS)
    assert (said.code, read_syncs(said), cursor(said)) == (1, ["s3", "s4"], [{"requested": requested(1)}])
    assert naps

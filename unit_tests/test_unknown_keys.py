"""Keys of a configuration that the spec doesn't have: each is named, with the one that may be meant."""

import json
import pkgutil

import pytest

from source_codat.config.unknown_keys import unknown_keys

SCHEMA = json.loads(pkgutil.get_data("source_codat", "spec.json") or b"")["connectionSpecification"]
UNKNOWN = "changes nothing, as there is no such field:"
ALL = " Only 'companies' chooses companies: without it, all of them are read."
ELSEWHERE = "changes nothing: it means nothing beside what is chosen there."
CASES: dict[str, tuple[dict, list]] = {
    "ids at the top level": (
        {"company_ids": ["x"]},
        [f"The configuration's 'company_ids' {UNKNOWN} did you mean 'companies.company_ids'?{ALL}"],
    ),
    "ids beside another selection": (
        {"companies": {"selection": "all", "company_ids": ["x"]}},
        [f"The configuration's 'companies.company_ids' {ELSEWHERE}"],
    ),
    "ids in another spelling": (
        {"companies": {"selection": "ids", "companyIds": ["x"]}},
        [f"The configuration's 'companies.companyIds' {UNKNOWN} did you mean 'companies.company_ids'?"],
    ),
    "ids nearly right at the top level": (
        {"companyIds": ["x"]},
        [f"The configuration's 'companyIds' {UNKNOWN} did you mean 'companies.company_ids'?{ALL}"],
    ),
    "a field nearly right": (
        {"startdate": "2024-01-01", "page-size": 5},
        [
            f"The configuration's 'startdate' {UNKNOWN} did you mean 'start_date'?",
            f"The configuration's 'page-size' {UNKNOWN} did you mean 'page_size'?",
        ],
    ),
    "a field of filters, several times": (
        {"filters": [{"stream": "a", "querry": "b"}, {"stream": "c", "querry": "d"}]},
        [f"The configuration's 'filters.querry' {UNKNOWN} did you mean 'filters.query'?"],
    ),
    "a field that is near to none": (
        {"weather": "rain"},
        [f"The configuration's 'weather' {UNKNOWN} 'spec' lists those that are."],
    ),
    "a field of which one word is right": (
        {"include_deleted": False},
        [f"The configuration's 'include_deleted' {UNKNOWN} did you mean 'deleted_records'?"],
    ),
    "a field of which one word is in several names": (
        {"always_refresh": True},
        [f"The configuration's 'always_refresh' {UNKNOWN} 'spec' lists those that are."],
    ),
    "fields of the platform's own": ({"__injected_declarative_manifest": {}}, []),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_key_that_the_spec_lacks_is_named_with_the_nearest(kind):
    config, sentences = CASES[kind]
    assert unknown_keys(config, SCHEMA) == sentences


@pytest.mark.parametrize(
    "companies",
    [
        {"selection": "all"},
        {"selection": "ids", "company_ids": ["x"]},
        {"selection": "tags", "tags_query": "a=b"},
        {},
        None,
        "all",
        [{"selection": "all"}],
    ],
)
def test_what_the_spec_has_is_not_named(companies):
    known = dict.fromkeys(SCHEMA["properties"])
    assert unknown_keys({**known, "companies": companies}, SCHEMA) == []

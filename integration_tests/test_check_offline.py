"""Wrong configurations that show before Codat is asked: one exact sentence each, in every command."""

import logging

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from integration_tests.support.connector import catalog, selected
from integration_tests.support.sentences import assert_sentence, failure, refusal
from source_codat import SourceCodat
from source_codat.foundation.errors import ConfigError

KEY = "Jp2fEXAMPLEkey0000000000000000000000abcd"
COMPANY = "8a210b68-6988-11ed-a1eb-0242ac120002"
PORTAL = "Developers > API keys in the Codat portal"
NO_KEY = f"The API key is missing: copy it from {PORTAL} into 'api_key'."
ODD_KEY = f"The API key contains a space or a character that no Codat key has: copy it again from {PORTAL}."
NO_BASE64 = (
    "The API key looks like an authorization header, but what follows 'Basic' isn't base64: "
    f"copy it again from {PORTAL}."
)
BEARER = (
    "The API key begins with 'Bearer', which Codat doesn't use: give the key alone, or its whole 'Basic …' "
    "header. You find it under Developers > API keys in the Codat portal."
)
NO_SELECTION = (
    "'companies' isn't an object with a 'selection' of 'all', 'ids' or 'tags': write "
    '{"selection": "all"}, {"selection": "ids", "company_ids": ["8a210b68-6988-11ed-a1eb-0242ac120002"]} or '
    '{"selection": "tags", "tags_query": "region=uk"}.'
)
NO_IDS = "Companies are selected by ID but 'company_ids' lists none: add at least one company ID."
TEXT_IDS = (
    "'company_ids' is a text: make it a list of texts, such as "
    '["8a210b68-6988-11ed-a1eb-0242ac120002"], also where it has one ID only.'
)
NO_TAGS = "Companies are selected by tags but 'tags_query' is empty: write one, such as region=uk."
NO_QUERY = "An entry of 'filters' lacks its 'stream' or its 'query': fill in both."
NO_LIST = "'filters' isn't a list: make it one of objects with a 'stream' and a 'query'."
NO_CUSTOM = "'custom_data_types' isn't a list of custom data identifiers: write them as they are in Codat."
ADDRESS = "write it as https://host, or leave it empty."
NO_ADDRESS = f"'base_url' isn't an address: {ADDRESS}"
NO_SCHEME = f"'base_url' isn't an address that starts with https://: {ADDRESS}"
CREDENTIALS = "'base_url' must not contain credentials: the key belongs into 'api_key'."
PATH = f"'base_url' must be an address without a path or a query: {ADDRESS}"
PLAIN = "'base_url' uses plain http, which is allowed only to this machine and private networks: use https."
WRONG_PARTS = ("0/8", "9/8", "3/0", "3-8", "3/8/1", "03/8", "-1/8", "1.5/8", "three of eight", "3/1000")
BOUNDS = {
    "lookback_hours": (0, 8760),
    "refresh_older_than_hours": (1, 8760),
    "refresh_wait_minutes": (1, 240),
    "report_period_months": (1, 12),
    "report_periods": (1, 240),
    "requests_per_minute": (10, 1000),
    "page_size": (1, 5000),
    "num_workers": (2, 50),
}


def filters(*entries):
    return {"filters": [dict(zip(("stream", "query"), entry, strict=True)) for entry in entries]}


def no_date(shown):
    return (
        f"'start_date' is '{shown}', which isn't a date: write it as 2024-01-31 or 2024-01-31T00:00:00Z, "
        "or leave it empty to read everything."
    )


MISTAKES = {
    "no key": ({"api_key": None}, NO_KEY),
    "empty key": ({"api_key": ""}, NO_KEY),
    "blank key": ({"api_key": " \n"}, NO_KEY),
    "number for a key": ({"api_key": 1234567890}, NO_KEY),
    "list for a key": ({"api_key": [KEY]}, NO_KEY),
    "key with a space": ({"api_key": f"{KEY[:20]} {KEY[20:]}"}, ODD_KEY),
    "key with a letter of another alphabet": ({"api_key": KEY.replace("E", "\u0415")}, ODD_KEY),
    "key with a character that can't be seen": ({"api_key": f"{KEY}\u200b"}, ODD_KEY),
    "key with a control character": ({"api_key": f"{KEY[:20]}\x00{KEY[20:]}"}, ODD_KEY),
    "another kind of header": ({"api_key": f"Bearer {KEY}"}, BEARER),
    "another kind of header, in full": ({"api_key": f"Authorization: bearer {KEY}"}, BEARER),
    "header without base64": ({"api_key": "Basic not-base64!"}, NO_BASE64),
    "header with the raw key": ({"api_key": f"Basic {KEY}"}, NO_BASE64),
    "header without anything": ({"api_key": "Basic "}, NO_BASE64),
    "companies as a text": ({"companies": "all"}, NO_SELECTION),
    "companies as a list": ({"companies": [COMPANY]}, NO_SELECTION),
    "no selection": ({"companies": {"company_ids": [COMPANY]}}, NO_SELECTION),
    "unknown selection": ({"companies": {"selection": "some"}}, NO_SELECTION),
    "ids left out": ({"companies": {"selection": "ids"}}, NO_IDS),
    "no ids": (selected(), NO_IDS),
    "ids as a text": ({"companies": {"selection": "ids", "company_ids": COMPANY}}, TEXT_IDS),
    "an empty text for ids": ({"companies": {"selection": "ids", "company_ids": " "}}, NO_IDS),
    "a name for an id": (
        selected(COMPANY, "Acme Ltd"),
        (
            "'Acme Ltd' in 'company_ids' isn't a Codat company ID: use the UUIDs that the companies' pages "
            "in the Codat portal show."
        ),
    ),
    "a number for an id": (
        selected(17),
        (
            "'17' in 'company_ids' isn't a Codat company ID: use the UUIDs that the companies' pages in "
            "the Codat portal show."
        ),
    ),
    "twelve names for ids": (
        selected(*(f"n{number}" for number in range(12))),
        (
            "'n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9' and 2 more in 'company_ids' aren't "
            "Codat company IDs: use the UUIDs that the companies' pages in the Codat portal show."
        ),
    ),
    "tags left out": ({"companies": {"selection": "tags"}}, NO_TAGS),
    "blank tags": ({"companies": {"selection": "tags", "tags_query": " "}}, NO_TAGS),
    "tags as an object": ({"companies": {"selection": "tags", "tags_query": {"region": "uk"}}}, NO_TAGS),
    **{
        f"tags joined by {word}": (
            {"companies": {"selection": "tags", "tags_query": f"region=uk {word} tier!=trial"}},
            f"'tags_query' joins conditions with '{word}': write '{right}', as in region=uk && tier!=trial.",
        )
        for word, right in {"&": "&&", "|": "||", "and": "&&", "AND": "&&", "or": "||"}.items()
    },
    "tags compared as in a program": (
        {"companies": {"selection": "tags", "tags_query": "region==uk && tier!=trial"}},
        "'tags_query' compares with '==': write '=', as in region=uk && tier!=trial.",
    ),
    "date the other way round": ({"start_date": "31.01.2024"}, no_date("31.01.2024")),
    "date that doesn't exist": ({"start_date": "2024-02-30"}, no_date("2024-02-30")),
    "time that doesn't exist": ({"start_date": "2024-01-31T25:00:00Z"}, no_date("2024-01-31T25:00:00Z")),
    "date in other digits": ({"start_date": "\uff12024-01-31"}, no_date("\uff12024-01-31")),
    "year for a date": ({"start_date": 2024}, no_date("2024")),
    "filters as an object": ({"filters": {"invoices": "status=Paid"}}, NO_LIST),
    "filters as a text": ({"filters": "status=Paid"}, NO_LIST),
    "filter as a text": ({"filters": ["status=Paid"]}, NO_QUERY),
    "filter without a query": ({"filters": [{"stream": "invoices"}]}, NO_QUERY),
    "filter with a blank query": (filters(("invoices", "  ")), NO_QUERY),
    "filter without a stream": ({"filters": [{"query": "status=Paid"}]}, NO_QUERY),
    "two filters of a stream": (
        filters(("invoices", "a=1"), (" invoices", "b=2")),
        "'filters' has more than one query for the stream 'invoices': join them into one with &&.",
    ),
    "filter that is too long": (
        filters(("invoices", "status=Paid||" * 150 + "a=1")),
        "The filter for 'invoices' is 1953 characters long, more than Codat takes: shorten it to 1900.",
    ),
    "filter of an unknown stream": (
        filters(("invoice", "status=Paid")),
        "'filters' names the stream 'invoice', which doesn't exist: correct it. (did you mean 'invoices'?)",
    ),
    "filter of something else": (
        filters(("weather", "rain=true")),
        (
            "'filters' names the stream 'weather', which doesn't exist: correct it. (use a name that the "
            "source's schema lists)"
        ),
    ),
    "filter of a stream that has none": (
        filters(("balance_sheets", "a=1")),
        "'filters' names the stream 'balance_sheets', which Codat can't filter: remove that filter.",
    ),
    "filter of a custom stream": (
        {**filters(("custom_Orders", "a=1")), "custom_data_types": ["Orders"]},
        "'filters' names the stream 'custom_Orders', which Codat can't filter: remove that filter.",
    ),
    "custom types as a text": ({"custom_data_types": "Orders"}, NO_CUSTOM),
    "blank custom type": ({"custom_data_types": ["Orders", " "]}, NO_CUSTOM),
    "custom types that collide": (
        {"custom_data_types": ["Orders", "orders"]},
        (
            "The custom data types 'Orders' and 'orders' differ only in upper and lower case, so their "
            "tables would be one: remove one of them."
        ),
    ),
    "text for a flag": (
        {"skip_unchanged": "false"},
        "'skip_unchanged' is 'false': set it to true or false.",
    ),
    "flag for a choice": (
        {"deleted_records": False},
        "'deleted_records' is 'False': set it to 'keep', 'leave_out' or 'remove'.",
    ),
    "number for a flag": ({"skip_unchanged": 1}, "'skip_unchanged' is '1': set it to true or false."),
    "flag for an address": ({"base_url": False}, NO_ADDRESS),
    "list for an address": ({"base_url": ["https://localhost"]}, NO_ADDRESS),
    "no host": ({"base_url": "https://"}, NO_ADDRESS),
    "space in the host": ({"base_url": "https://api.codat.io "}, NO_ADDRESS),
    "backslash in the host": ({"base_url": "https://localhost\\.example.org"}, NO_ADDRESS),
    "template for a host": ({"base_url": "https://{{config['api_key']}}.example.org"}, NO_ADDRESS),
    "name for a port": ({"base_url": "https://localhost:port"}, NO_ADDRESS),
    "port that can't be": ({"base_url": "https://localhost:70000"}, NO_ADDRESS),
    "port zero": ({"base_url": "https://localhost:0"}, NO_ADDRESS),
    "broken brackets": ({"base_url": "https://[::1"}, NO_ADDRESS),
    "no scheme": ({"base_url": "api.codat.io"}, NO_SCHEME),
    "another scheme": ({"base_url": "ftp://localhost"}, NO_SCHEME),
    "file": ({"base_url": "file:///etc/hosts"}, NO_SCHEME),
    "credentials": ({"base_url": "https://user:pass@api.codat.io"}, CREDENTIALS),
    "host that looks like a user": ({"base_url": "https://api.codat.io@example.org"}, CREDENTIALS),
    "path": ({"base_url": "https://api.codat.io/v1"}, PATH),
    "query": ({"base_url": "https://api.codat.io?x=1"}, PATH),
    "empty query": ({"base_url": "https://api.codat.io?"}, PATH),
    "fragment": ({"base_url": "https://api.codat.io#top"}, PATH),
    "http to the world": ({"base_url": "http://api.codat.io"}, PLAIN),
    "http to a public address": ({"base_url": "http://8.8.8.8"}, PLAIN),
    "http to a public address in disguise": ({"base_url": "http://[::ffff:8.8.8.8]"}, PLAIN),
    "http to a number": ({"base_url": "http://134744072"}, PLAIN),
    "http to a name that starts like this machine": ({"base_url": "http://localhost.example.org"}, PLAIN),
}
for _odd_part in (*WRONG_PARTS, 3, ["3/8"]):
    MISTAKES[f"part of {_odd_part!r}"] = (
        {"part": _odd_part},
        (
            f"'part' is '{_odd_part}', which is no part: write it as k/n with k from 1 to n and n up to 999, "
            "such as 3/8 for the third of eight parts, or leave it empty to read all selected companies."
        ),
    )
for _name, (_low, _high) in BOUNDS.items():
    for _wrong in (_low - 1, _high + 1, 1.5, str(_high), True, [5]):
        MISTAKES[f"{_name} of {_wrong!r}"] = (
            {_name: _wrong},
            (
                f"'{_name}' is {_wrong if type(_wrong) is int else repr(str(_wrong))}: "
                f"set it to a whole number from {_low} to {_high}."
            ),
        )
# Through the script one of each kind; the rest in process, as the way out is the same.
THROUGH_THE_SCRIPT = ["key with a character that can't be seen", "twelve names for ids", "text for a flag"]


@pytest.fixture(scope="module")
def source():
    return SourceCodat()


def wrong(mistake):
    options, sentence = MISTAKES[mistake]
    return {"api_key": KEY, "base_url": "http://localhost:9", **options}, sentence


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_before_codat_is_asked(source, mistake):
    settings, sentence = wrong(mistake)
    status = source.check(logging.getLogger("airbyte"), settings)
    assert (status.status.name, status.message) == ("FAILED", sentence)
    assert_sentence(status.message)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_discover_and_read_refuse_it_in_the_same_words(source, mistake):
    settings, sentence = wrong(mistake)
    log = logging.getLogger("airbyte")
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog("bills"))
    for command in (
        lambda: source.discover(log, settings),
        lambda: list(source.read(log, settings, configured)),
    ):
        with pytest.raises(ConfigError) as caught:
            command()
        assert str(caught.value) == caught.value.internal_message == sentence


@pytest.mark.parametrize("mistake", THROUGH_THE_SCRIPT)
def test_the_script_says_it_in_each_commands_own_way(script, tmp_path, mistake):
    settings, sentence = wrong(mistake)
    assert refusal(script.run("check", tmp_path, config=settings)) == sentence
    for command, contents in (("discover", {}), ("read", {"catalog": catalog("bills")})):
        said = script.run(command, tmp_path, config=settings, **contents)
        assert failure(said) == sentence
        assert [one["message"] for one in said.errors] == [sentence]
        assert said.errors[0]["failure_type"] == "config_error"

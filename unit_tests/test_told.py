"""What of a long text is told: no part of a secret, wherever the text is cut."""

import pytest

from source_codat.foundation import secrets

KEY = "kQ9" + "0123456789abcdef" * 2 + "-xyz"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setattr(secrets, "_spellings", (KEY.lower(),))


@pytest.mark.parametrize("most", [100, 200, 500])
def test_a_cut_leaves_no_start_of_the_key_wherever_it_stands(most):
    for place in range(0, 5_000, 7):
        for filling in ("x", " x", " "):
            text = (filling * place)[:place] + KEY + "tail"
            assert KEY[:8] not in secrets.told(text, most)


def test_many_keys_in_a_row_leave_nothing_of_one():
    for number in range(1, 400):
        assert KEY[:8] not in secrets.told(f"{KEY} " * number, 500)


def test_a_text_without_a_key_is_cut_and_its_spaces_become_one():
    assert secrets.told("a  b\n" * 1000, 7) == "a b a b"

"""Settings: read once, checked at the start, refused with name, value, reason and hint."""

from pathlib import Path

import pytest

from worker import settings
from worker.errors import SettingsInvalidError

URL = "postgresql://app:secret@db.example:5432/app"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting and no .env but what the test gives."""
    monkeypatch.chdir(tmp_path)
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"PGMEND_{name.upper()}", raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """Return the message with which these settings are refused."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalidError) as refused:
        settings.load()
    return str(refused.value)


def test_missing_url_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address the error names the variable and what it says."""
    message = refusal(monkeypatch)

    assert "PGMEND_DATABASE_URL is not set" in message
    assert "postgresql://" in message


def test_wrong_value_is_refused_with_name_value_reason_and_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number out of range is told with everything that is needed to mend it."""
    message = refusal(monkeypatch, PGMEND_DATABASE_URL=URL, PGMEND_POLL_INTERVAL_SECONDS="-1")

    assert "PGMEND_POLL_INTERVAL_SECONDS is wrong: '-1': Input should be greater than 0" in message
    assert "longest wait without a bell" in message


def test_wrong_url_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may hold a password: it is never printed, wrong or right."""
    message = refusal(monkeypatch, PGMEND_DATABASE_URL="mysql://app:secret@db/app")

    assert "PGMEND_DATABASE_URL is wrong" in message
    assert "secret@" not in message


def test_misspelt_name_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error is not ignored: it would leave the default in force unseen."""
    message = refusal(monkeypatch, PGMEND_DATABASE_URL=URL, PGMEND_POLL_INTERVALL_SECONDS="5")

    assert "there is no setting PGMEND_POLL_INTERVALL_SECONDS" in message
    assert "did you mean PGMEND_POLL_INTERVAL_SECONDS?" in message


def test_error_logs_table_has_to_name_schema_and_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name goes into SQL: only a plain qualified identifier is taken."""
    assert "PGMEND_ERROR_LOGS_TABLE" in refusal(
        monkeypatch, PGMEND_DATABASE_URL=URL, PGMEND_ERROR_LOGS_TABLE="x; drop table users"
    )


def test_env_file_is_read(tmp_path: Path) -> None:
    """A .env in the working directory serves as well as the environment."""
    (tmp_path / ".env").write_text(f"PGMEND_DATABASE_URL={URL}\nPGMEND_CONSUMERS=3\n")

    assert settings.load().consumers == 3


def test_misspelt_name_in_the_env_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A typing error in .env is found as one in the environment is."""
    (tmp_path / ".env").write_text(f"PGMEND_DATABASE_URL={URL}\nPGMEND_CONSUMER=3\n")

    assert "did you mean PGMEND_CONSUMERS?" in refusal(monkeypatch)


def test_error_logs_table_outlives_an_uninstall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit table cannot stand in the schema that an uninstall removes."""
    message = refusal(monkeypatch, PGMEND_DATABASE_URL=URL, PGMEND_ERROR_LOGS_TABLE="pgmend.error_logs")

    assert "PGMEND_ERROR_LOGS_TABLE is wrong: 'pgmend.error_logs': the schema pgmend goes with an uninstall" in message


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The effective settings can be shown to anybody."""
    monkeypatch.setenv("PGMEND_DATABASE_URL", URL)

    assert "secret" not in str(settings.load().masked())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "postgresql://app:********@db.example:5432/app"),
        ("postgresql://app@db/app?sslmode=require", "postgresql://app@db/app?sslmode=require"),
        ("postgresql://db/app?user=app&password=secret", "postgresql://db/app?user=app&password=********"),
        ("postgresql://app:sec%40ret@/app?host=/run/pg", "postgresql://app:********@/app?host=/run/pg"),
        *((f"postgresql://app:{half}secret@db/app", "********") for half in ("a@", "a/", "a?", "a#", "a]")),
    ],
)
def test_address_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str, shown: str) -> None:
    """Whoever asks sees which host, database and login; of an address that nobody can take apart, nothing."""
    monkeypatch.setenv("PGMEND_DATABASE_URL", url)

    assert settings.load().masked()["database_url"] == shown

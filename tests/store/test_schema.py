import shutil

import pytest

from core.errors import StoreUnavailable
from core.store import Store
from core.store.database import Database
from core.store.schema import MIGRATIONS, migrate

STEPS = sorted(MIGRATIONS.glob("*.sql"))


@pytest.fixture
def database():
    opened = Database(":memory:")
    yield opened
    opened.close()


def ask(database, sql):
    with database.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def columns(database):
    return ask(
        database,
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY ALL",
    )


def versions(database):
    return [version for (version,) in ask(database, "SELECT version FROM schema_versions ORDER BY version")]


@pytest.fixture
def folder(tmp_path):
    """The steps there are, and a place to put more."""
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    return tmp_path / "migrations"


def test_a_fresh_database_gets_every_step_once(database):
    assert migrate(database) == len(STEPS)
    assert migrate(database) == len(STEPS)
    assert versions(database) == list(range(1, len(STEPS) + 1))


@pytest.mark.parametrize("older", range(1, len(STEPS) + 1))
def test_a_store_of_each_older_version_is_brought_up_to_date_and_keeps_its_rows(database, tmp_path, older):
    for step in STEPS[:older]:
        shutil.copy(step, tmp_path)
    migrate(database, tmp_path)
    database.write(
        lambda cursor: cursor.execute(
            "INSERT INTO corrections (run_id, seq, correction_id, person, action, target, before, after, "
            "note, made_at) VALUES ('r', 1, 'c', 'Ada', 'accept', 'p0', '{}', '{}', '', '2026-01-01')"
        )
    )
    migrate(database)
    assert ask(database, "SELECT run_id, person FROM corrections") == [("r", "Ada")]
    fresh = Database(":memory:")
    migrate(fresh)
    assert columns(database) == columns(fresh)
    fresh.close()


def test_a_step_that_is_added_later_is_applied_and_keeps_the_rows(database, folder):
    migrate(database)
    ask(database, "INSERT INTO frames VALUES ('k','s','n',1,1,false,1,1,1,1,1,'','{}','2026-01-01')")
    number = len(STEPS) + 1
    (folder / f"{number:04d}_telescope.sql").write_text(
        "ALTER TABLE frames ADD COLUMN telescope VARCHAR; UPDATE frames SET telescope = 'unknown';"
    )
    assert migrate(database, folder) == number
    assert ask(database, "SELECT name, telescope FROM frames") == [("n", "unknown")]


def test_a_step_that_fails_half_way_leaves_nothing_behind(database, folder):
    migrate(database)
    before = columns(database)
    number = len(STEPS) + 1
    step = folder / f"{number:04d}_broken.sql"
    step.write_text("CREATE TABLE half (x INTEGER); ALTER TABLE nowhere ADD COLUMN y INTEGER;")
    with pytest.raises(StoreUnavailable, match="could not be used"):
        migrate(database, folder)
    assert columns(database) == before
    assert versions(database) == list(range(1, number))
    step.write_text("CREATE TABLE whole (x INTEGER);")
    assert migrate(database, folder) == number


def test_a_store_of_a_newer_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "newer.duckdb"
    with Store(path) as store:
        store._database.write(
            lambda cursor: cursor.execute("INSERT INTO schema_versions VALUES (999, 'future', '2030-01-01')")
        )
    with pytest.raises(StoreUnavailable, match="written by a newer Almagest: its schema is 999"):
        Store(path)
    database = Database(path)  # refused, and let go of
    assert versions(database)[-1] == 999
    database.close()


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.duckdb"
    database = Database(path)
    ask(database, "CREATE TABLE stars (x INTEGER)")
    database.close()
    with pytest.raises(StoreUnavailable, match="a database of another program"):
        Store(path)
    database = Database(path)
    assert columns(database) == [("stars", "x", "INTEGER")]
    database.close()


def test_steps_with_a_gap_in_their_numbers_are_a_mistake(database, folder):
    (folder / f"{len(STEPS) + 2:04d}_gap.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match="numbered 1, 2, 3"):
        migrate(database, folder)

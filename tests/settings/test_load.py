from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pulsetui.errors import SettingsError
from pulsetui.settings.keys import environment_name, setting_fields, value_of
from pulsetui.settings.load import DEFAULT, LoadedSettings, load_settings, user_config_path
from pulsetui.settings.models import Settings


def load(tmp_path: Path, toml: str = "", environment: dict[str, str] | None = None, **flags: object) -> LoadedSettings:
    file = tmp_path / "config.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings(
        config=file,
        environment=environment or {},
        flags={key.replace("__", "."): value for key, value in flags.items()},
    )


def refusal(
    tmp_path: Path, toml: str = "", environment: dict[str, str] | None = None, **flags: object
) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, toml, environment, **flags)
    return caught.value


def test_without_any_layer_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load_settings(environment={"HOME": str(tmp_path)})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {DEFAULT}
    assert set(loaded.origins) == set(setting_fields())


def test_file_environment_and_flags_override_in_this_order(tmp_path: Path) -> None:
    toml = '[downloads]\nmax_size = "1 GB"\nmax_attempts = 3\nallow_http = true\n'
    environment = {"PULSETUI_DOWNLOADS__MAX_SIZE": "2 GB", "PULSETUI_DOWNLOADS__MAX_ATTEMPTS": "4", "OTHER": "x"}
    loaded = load(tmp_path, toml, environment, downloads__max_size="3 GB")
    assert loaded.settings.downloads.max_size == 3_000_000_000
    assert loaded.settings.downloads.max_attempts == 4
    assert loaded.settings.downloads.allow_http
    assert loaded.origins["downloads.max_size"] == "command line"
    assert loaded.origins["downloads.max_attempts"] == "environment variable PULSETUI_DOWNLOADS__MAX_ATTEMPTS"
    assert loaded.origins["downloads.allow_http"] == str(tmp_path / "config.toml")


def test_a_section_knows_which_of_its_values_somebody_set(tmp_path: Path) -> None:
    disk = load(tmp_path, '[disk_management]\nhard_limit = "20 MB"\n').settings.disk_management
    assert disk.model_fields_set == {"hard_limit"}


def test_a_flag_that_was_not_given_overrides_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[paths]\ndata_dir = "/from/file"\n', paths__data_dir=None)
    assert loaded.settings.paths.data_dir == Path("/from/file")


@pytest.mark.parametrize("key", sorted(setting_fields()))
def test_each_setting_can_be_set_from_the_environment(key: str) -> None:
    value = "85" if "percent" in key else "7"
    kind = type(value_of(Settings(), key))
    if kind is bool:
        value = "false" if value_of(Settings(), key) else "true"
    if kind is timedelta:
        value = "7s"
    if key.endswith(("bandwidth_limit", "slowest_speed")):
        value = "7 B/s"
    if key in ("transcription.min_coverage", "storage.rolling_share"):
        value = "0.5"
    value = {
        "storage.levels": "series,season",
        "storage.file_types": '{ psd = "image" }',
        "storage.roots": '[{ name = "renders", path = "/mnt/renders" }]',
    }.get(key, value)
    name = environment_name(key)
    loaded = load_settings(environment={name: value, "HOME": "/nonexistent"})
    assert value_of(loaded.settings, key) != value_of(Settings(), key)
    assert loaded.origins[key] == f"environment variable {name}"


@pytest.mark.parametrize(
    ("toml", "size_bytes"), [("hard_limit_gb = 20", 20 * 10**9), ("hard_limit_gb = 1.5", 15 * 10**8)]
)
def test_a_size_may_carry_its_unit_in_the_key(tmp_path: Path, toml: str, size_bytes: int) -> None:
    loaded = load(tmp_path, f"[disk_management]\n{toml}\n")
    assert loaded.settings.disk_management.hard_limit == size_bytes


def test_a_duration_may_carry_its_unit_in_the_key(tmp_path: Path) -> None:
    environment = {"PULSETUI_DISK_MANAGEMENT__CHECK_INTERVAL_SECONDS": "90"}
    loaded = load(tmp_path, '[disk_management]\ncheck_interval = "10s"\ncache_duration_s = 2\n', environment)
    assert loaded.settings.disk_management.check_interval == timedelta(seconds=90)
    assert loaded.settings.disk_management.cache_duration == timedelta(seconds=2)


def test_a_wrong_value_in_another_spelling_is_named_as_it_was_written(tmp_path: Path) -> None:
    message = str(refusal(tmp_path, "[disk_management]\nhard_limit_gb = -1\n"))
    assert "disk_management.hard_limit (as disk_management.hard_limit_gb) from" in message
    assert "'-1 GB' is not a size" in message


def test_two_spellings_of_a_key_in_one_file_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[disk_management]\nhard_limit = "1 GB"\nhard_limit_gb = 2\n')
    assert "by disk_management.hard_limit and disk_management.hard_limit_gb" in str(error)


@pytest.mark.parametrize(
    ("toml", "key", "nearest"),
    [
        ("[disk_management]\nhard_limt = '1 GB'", "disk_management.hard_limt", "disk_management.hard_limit"),
        ("hard_limit = '1 GB'", "hard_limit", "disk_management.hard_limit"),
        ("[download]\nmax_size = '1 GB'", "download.max_size", "downloads.max_size"),
        ("[disk_management]\ncleanup_interval = '1s'", "disk_management.cleanup_interval", ".cleanup.cleanup_interval"),
    ],
)
def test_an_unknown_key_is_refused_with_file_key_and_nearest(tmp_path: Path, toml: str, key: str, nearest: str) -> None:
    error = refusal(tmp_path, toml)
    assert str(error) == f"{tmp_path / 'config.toml'}: unknown setting {key}"
    assert error.hint.removeprefix("did you mean ").removesuffix("?").endswith(nearest)


def test_an_unknown_section_is_refused_even_when_empty(tmp_path: Path) -> None:
    assert "unknown setting reclaim" in str(refusal(tmp_path, "[reclaim]\n"))


def test_a_value_where_a_section_belongs_is_refused(tmp_path: Path) -> None:
    assert "downloads is a section" in str(refusal(tmp_path, "downloads = 5\n"))


def test_an_unknown_variable_is_refused_with_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, environment={"PULSETUI_DATA_DIR": "/x"})
    assert str(error) == "unknown environment variable PULSETUI_DATA_DIR"
    assert error.hint == "did you mean PULSETUI_PATHS__DATA_DIR?"


def test_the_variable_of_the_fault_points_is_no_setting(tmp_path: Path) -> None:
    assert load(tmp_path, environment={"PULSETUI_FAULTS": "files.rename=kill"}).settings == Settings()


def test_a_wrong_value_is_refused_with_key_place_value_and_what_is_accepted(tmp_path: Path) -> None:
    message = str(refusal(tmp_path, '[downloads]\nmax_size = "20 potatoes"\n'))
    assert message.startswith(f"downloads.max_size from {tmp_path / 'config.toml'}: '20 potatoes' is not a size; use")
    assert "such as '250 GB'" in message


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    environment = {"PULSETUI_TRANSCRIPTION__MIN_COVERAGE": "2", "PULSETUI_DISK_MANAGEMENT__CHECK_INTERVAL": "30"}
    lines = str(refusal(tmp_path, "[downloads]\nmax_attempts = true\n", environment)).splitlines()
    assert len(lines) == 3
    assert any("min_coverage from environment variable" in line and "less than or equal to 1" in line for line in lines)
    assert any("'30' is not a duration" in line for line in lines)
    assert any("true is not a number" in line for line in lines)


@pytest.mark.parametrize(
    ("section", "toml", "numbers"),
    [
        ("disk_management", 'hard_limit = "20 MB"\npause_threshold = "30 MB"', ("30 MB", "20 MB")),
        ("disk_management", 'pause_threshold = "300 GB"', ("300 GB", "250 GB")),
        ("disk_management", 'pause_threshold = "10 GB"\nresume_threshold = "10 GB"', ("10 GB", "10 GB")),
        ("disk_management", 'resume_threshold = "400 GB"', ("400 GB", "250 GB")),
        ("disk_management", 'pause_threshold = "240 GB"\nsafety_margin = "11 GB"', ("11 GB", "10 GB")),
        ("disk_management", 'suspend_margin = "251 GB"', ("251 GB", "250 GB")),
        ("downloads", 'retry_base = "2h"', ("2h", "30m")),
        ("dashboard", "warn_percent = 95", ("95", "90")),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_both(
    tmp_path: Path, section: str, toml: str, numbers: tuple[str, str]
) -> None:
    message = str(refusal(tmp_path, f"[{section}]\n{toml}\n"))
    assert all(number in message for number in numbers)
    assert str(tmp_path / "config.toml") in message


def test_a_pause_threshold_alone_does_not_contradict_derived_values(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[disk_management]\npause_threshold = "3 GB"\n')
    assert loaded.settings.disk_management.resume_threshold is None


@pytest.mark.parametrize("content", [b"[downloads\n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"broken\.toml is not TOML"):
        load_settings(config=file, environment={})


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(config=tmp_path / "none.toml", environment={})


def test_the_usual_file_is_read_if_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "pulsetui" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[dashboard]\nrecent_jobs = 3\n")
    loaded = load_settings(environment={"HOME": str(tmp_path)})
    assert loaded.settings.dashboard.recent_jobs == 3
    assert loaded.origins["dashboard.recent_jobs"] == str(file)


def test_the_users_file_follows_the_xdg_folder() -> None:
    assert user_config_path({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/pulsetui/config.toml")
    assert user_config_path({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/pulsetui/config.toml")


def test_names_are_a_list_or_words_with_commas(tmp_path: Path) -> None:
    environment = {"PULSETUI_ACCESS__OPERATORS": "ann, @media"}
    access = load(tmp_path, '[access]\nadmins = ["root", "@wheel"]\n', environment).settings.access
    assert access.admins == ("root", "@wheel")
    assert access.operators == ("ann", "@media")


def test_paths_are_absolute_and_storage_lies_in_the_data_folder_unless_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = load(tmp_path, paths__data_dir="data").settings.paths
    assert paths.data_dir == tmp_path / "data"
    assert paths.storage == tmp_path / "data" / "storage"
    assert load(tmp_path, paths__storage_dir="/media").settings.paths.storage == Path("/media")


@pytest.mark.parametrize(("value", "reason"), [("", "is not a path"), ("~nobody-of-that-name/x", "leads nowhere")])
def test_a_data_folder_that_names_nothing_is_refused(tmp_path: Path, value: str, reason: str) -> None:
    assert reason in str(refusal(tmp_path, paths__data_dir=value))


def test_building_settings_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSETUI_DASHBOARD__RECENT_JOBS", "3")
    assert Settings().dashboard.recent_jobs == 10


def test_json_gives_bytes_and_seconds() -> None:
    plain = Settings().model_dump(mode="json")
    assert plain["disk_management"]["hard_limit"] == 250_000_000_000
    assert plain["disk_management"]["check_interval"] == 30.0
    assert plain["disk_management"]["pause_threshold"] is None


def test_a_folder_behind_a_link_is_resolved_once(tmp_path: Path) -> None:
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "link").symlink_to("big-disk")
    assert load(tmp_path, paths__data_dir=str(tmp_path / "link" / "data")).settings.paths.data_dir == (
        tmp_path / "big-disk" / "data"
    )


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "leads nowhere" in str(refusal(tmp_path, paths__data_dir=str(tmp_path / "loop")))

from __future__ import annotations

import configparser

import pytest

from pulsetui import resources, units
from pulsetui.errors import NotPermittedError, OwnedError, SettingsError
from pulsetui.settings.keys import environment_name
from pulsetui.settings.models import Settings


@pytest.fixture(scope="module")
def service() -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(resources.path("config", "pulsetui.service").read_text(encoding="utf-8"))
    return dict(parser["Service"])


def test_systemd_waits_longer_than_running_transcriptions_may(service: dict[str, str]) -> None:
    assert units.parse_duration(service["TimeoutStopSec"]) > Settings().transcription.shutdown_grace


def test_only_pulsetui_itself_is_asked_to_stop(service: dict[str, str]) -> None:
    assert service["KillMode"] == "mixed"
    assert service["OOMPolicy"] == "continue"


def test_errors_that_a_restart_cannot_mend_are_not_restarted(service: dict[str, str]) -> None:
    codes = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert codes == {error.exit_code for error in (SettingsError, NotPermittedError, OwnedError)}
    assert service["Restart"] == "on-failure"


def test_the_data_folder_is_the_one_that_systemd_makes(service: dict[str, str]) -> None:
    assert service["Environment"] == f"{environment_name('paths.data_dir')}=/var/lib/{service['StateDirectory']}"

"""What can be set: frozen, nested models with the built-in default and a docstring for every key.

`config/defaults.toml` says the same and a test keeps the two equal. `model_fields_set` of a section holds what somebody
set. Values that contradict another one that was set are refused here with both numbers; what depends on the size of the
disks is checked in `budget`. Reading files and the environment is left to `load`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pulsetui import units
from pulsetui.settings.section import Section
from pulsetui.settings.storage import Storage
from pulsetui.settings.types import (
    Count,
    Duration,
    FolderPath,
    Fraction,
    Names,
    OptionalFolderPath,
    OptionalRate,
    OptionalSize,
    Percent,
    PositiveDuration,
    PositiveSize,
    Rate,
    Ratio,
    Size,
    WholeNumber,
    contradiction,
)
from pulsetui.settings.volumes import Volumes

_GB = 10**9


class Paths(Section):
    """Where pulsetui keeps its state and the media."""

    data_dir: FolderPath = Field(Path("~/.local/share/pulsetui"), validate_default=True)
    """The folder of the database, transcripts and everything else but the videos. It has one owner at a time."""
    storage_dir: OptionalFolderPath = None
    """The folder that holds `videos/`. Empty: `storage` in the data folder."""

    @property
    def storage(self) -> Path:
        """The folder that holds `videos/`, resolved."""
        return self.storage_dir or self.data_dir / "storage"


class Cleanup(Section):
    """What is deleted once the next stage has its proof."""

    delete_video_after_transcription: bool = True
    """Delete a video as soon as its transcript is accepted and committed. Off: it stays and the budget counts it."""
    delete_audio_after_transcription: bool = True
    """Delete the extracted audio likewise."""
    cleanup_interval: Duration = timedelta(0)
    """How often pending deletions are done. 0: each at once."""


class DiskManagement(Section):
    """The disk budget and how much runs at a time."""

    hard_limit: PositiveSize = 250 * _GB
    """Bytes on disk plus bytes still to come never pass this. The default is cut down to what the disks hold."""
    pause_threshold: OptionalSize = None
    """From this many committed bytes on no download starts. Empty: 92 % of `hard_limit` (230 GB of 250 GB)."""
    resume_threshold: OptionalSize = None
    """At this many committed bytes or fewer downloads start again. Empty: 80 % of `hard_limit` (200 GB of 250 GB)."""
    free_space_floor: Size = 5 * _GB
    """What must stay free on each disk, whatever the budget says."""
    safety_margin: OptionalSize = None
    """Room between pause and hard limit in which running downloads finish. Empty: 8 % of `hard_limit` (20 GB)."""
    suspend_margin: OptionalSize = None
    """Running downloads suspend this far below the hard limit. Empty: 0.8 % of `hard_limit` (2 GB)."""
    check_interval: PositiveDuration = timedelta(seconds=30)
    """How often the gate is judged and reported while nothing else changes it."""
    cache_duration: Duration = timedelta(seconds=5)
    """For how long a reading of the files in motion is used again."""
    max_concurrent_downloads: Count = 5
    """Downloads that run at a time."""
    max_concurrent_transcriptions: Count = 2
    """Transcriptions that run at a time, each in a process of its own."""
    cleanup: Cleanup = Cleanup()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse sizes that the user set out of order; derived ones follow `hard_limit` and can't be."""
        limit, pause, resume = self.hard_limit, self.pause_threshold, self.resume_threshold
        if pause is not None and pause >= limit:
            raise contradiction(("pause_threshold", pause), "must be below", ("hard_limit", limit))
        if resume is not None and resume >= limit:
            raise contradiction(("resume_threshold", resume), "must be below", ("hard_limit", limit))
        if pause is not None and resume is not None and resume >= pause:
            raise contradiction(("resume_threshold", resume), "must be below", ("pause_threshold", pause))
        for name, margin in (("safety_margin", self.safety_margin), ("suspend_margin", self.suspend_margin)):
            if margin is not None and margin >= limit:
                raise contradiction((name, margin), "must be below", ("hard_limit", limit))
            if margin is not None and pause is not None and margin > limit - pause:
                room = units.exact_size(limit - pause)
                raise contradiction(
                    (name, margin), f"must fit into the {room} between hard_limit and", ("pause_threshold", pause)
                )
        return self


class Downloads(Section):
    """How sources are fetched."""

    allow_http: bool = False
    """Accept http:// besides https://."""
    allow_private_addresses: bool = False
    """Connect to private, loopback and link-local addresses too."""
    max_size: PositiveSize = 20 * _GB
    """A larger episode is refused."""
    connect_timeout: PositiveDuration = timedelta(seconds=10)
    """How long a connection may take to open."""
    read_timeout: PositiveDuration = timedelta(seconds=30)
    """How long a server may send nothing."""
    slowest_speed: Rate = 1_000
    """A download slower than this for `slowest_speed_after` is given up and tried again later. 0: never."""
    slowest_speed_after: PositiveDuration = timedelta(seconds=60)
    """Over how long the slowest speed is measured."""
    max_redirects: WholeNumber = 5
    """Redirects followed; each hop is checked like the first."""
    connections_per_host: Count = 5
    """Connections to one host at a time."""
    requests_per_second_per_host: Ratio = 5.0
    """Requests a second to one host."""
    bandwidth_limit: OptionalRate = None
    """Bytes a second over all downloads together, such as "10MB/s". Empty: no limit."""
    max_attempts: Count = 8
    """Attempts before a job is dead."""
    retry_base: PositiveDuration = timedelta(seconds=5)
    """The back-off after the first failure; it doubles with each one."""
    retry_cap: PositiveDuration = timedelta(minutes=30)
    """The longest back-off."""
    retry_after_cap: PositiveDuration = timedelta(hours=6)
    """The longest wait that a server can ask for."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.retry_base > self.retry_cap:
            raise contradiction(("retry_base", self.retry_base), "must not pass", ("retry_cap", self.retry_cap))
        return self


class Transcription(Section):
    """How speech becomes text, and when a transcript is accepted."""

    engine: str = Field(default="pocketsphinx", min_length=1)
    """The speech engine. `pocketsphinx` works offline right after install."""
    shutdown_grace: Duration = timedelta(seconds=60)
    """How long running transcriptions may go on when pulsetui stops."""
    max_attempts: Count = 3
    """Attempts before a job is dead."""
    min_coverage: Fraction = 0.7
    """The least share of the speech that must have text, 0 to 1."""
    max_gap: PositiveDuration = timedelta(seconds=60)
    """The longest stretch of speech without text."""
    max_end_distance: PositiveDuration = timedelta(seconds=30)
    """How far before the last speech the text may end."""
    max_compression_ratio: Ratio = 2.4
    """Text that compresses better than this repeats itself and is held."""
    progress_timeout: PositiveDuration = timedelta(minutes=5)
    """A transcription without progress for this long is stopped."""


class Dashboard(Section):
    """What the screens show."""

    disk_poll_interval: PositiveDuration = timedelta(seconds=60)
    """How often the disks are asked for their free space."""
    recent_jobs: Count = 10
    """Finished jobs that stay in the list of tasks."""
    warn_percent: Percent = 80
    """A disk that is this full is amber."""
    critical_percent: Percent = 90
    """A disk that is this full is red."""
    reduced_motion: bool = False
    """No animation anywhere."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn_percent >= self.critical_percent:
            warn, critical = f"{self.warn_percent:g}", f"{self.critical_percent:g}"
            raise contradiction(("warn_percent", warn), "must be below", ("critical_percent", critical))
        return self


class Access(Section):
    """Who may do what. The data folder's owner and root are always admins."""

    admins: Names = ()
    """Users, or @groups, that may do everything."""
    operators: Names = ()
    """Users, or @groups, that may run the pipeline."""
    group: str = ""
    """The group that may view: folders become 2770 and files 0660. Empty: 0700 and 0600, for the owner alone."""


class Settings(BaseSettings):
    """All settings. Hand a room its section, never the whole."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="PULSETUI_",
        env_nested_delimiter="__",
        validate_default=False,
    )

    paths: Paths = Field(default_factory=Paths)
    disk_management: DiskManagement = DiskManagement()
    downloads: Downloads = Downloads()
    transcription: Transcription = Transcription()
    storage: Storage = Storage()
    volumes: Volumes = Volumes()
    dashboard: Dashboard = Dashboard()
    access: Access = Access()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is handed in and nothing else: `load` reads the layers, so that each value's origin is known."""
        return (init_settings,)

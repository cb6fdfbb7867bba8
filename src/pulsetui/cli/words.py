"""The words of the command line: every command, option and what it takes, in one place.

Light on purpose: `--help`, `--version` and a mistyped word are answered without the pipeline behind them. A command is
named as `module:function` below this room and imported only once it is known to be wanted.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from pulsetui import __version__
from pulsetui.cli.word_types import cells as _cells
from pulsetui.cli.word_types import count as _count
from pulsetui.cli.word_types import number as _number
from pulsetui.cli.word_types import project as _project
from pulsetui.cli.word_types import row_id as _id
from pulsetui.cli.word_types import size as _bytes
from pulsetui.cli.word_types import text as _text
from pulsetui.errors import UsageError
from pulsetui.events.base import CATEGORIES, SEVERITIES

LIBRARY = "main"
FORMATS = ("txt", "srt", "vtt", "json")
DEFAULT_EPISODES = 12
COLOURS = ("size", "category", "age", "growth", "reclaimable")
"""What the colours of a treemap can stand for."""
WINDOWS = {"1h": 3600.0, "24h": 86_400.0, "7d": 604_800.0}
"""Over what growth is looked at, in seconds."""
_FINGERPRINT = "its fingerprint, the first digits of it, or where it is mounted"


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return what the words say; `run` names the command that does it.

    Raises:
        UsageError: a word isn't known, or doesn't fit.
        SystemExit: it was --help or --version, and is answered.
    """
    parser = build_parser()
    try:
        found, unknown = parser.parse_known_args(words)
    except UsageError:
        # A mistyped option leaves its value behind, which then is the odd word out: name the option.
        _refuse_unknown_options(parser, words)
        raise
    _refuse_unknown_options(parser, unknown)
    if unknown:
        raise UsageError(f"one word too many: {unknown[0]!r}", hint="`pulsetui --help` lists what there is")
    if found.run not in ("run:run", "demo:demo") and (found.no_ui or found.log_format):
        option = "--no-ui" if found.no_ui else "--log-format"
        raise UsageError(f"{option} does not go with {found.command}", hint="leave one of the two out")
    if found.library not in (None, LIBRARY) and found.command != "volumes":
        raise UsageError(
            f"--library does not go with {found.command or 'the screens'}: what isn't about volumes is in {LIBRARY}",
            hint="leave it out",
        )
    return found


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="pulsetui",
        description="The control room of a media pipeline box. Without a command: the terminal UI.",
        epilog="`pulsetui COMMAND --help` says more. Exit codes: 0 done, 1 it failed, 2 wrong usage or settings, "
        "3 not permitted, 4 not found, 5 another owner runs, 6 refused for safety.",
    )
    parser.add_argument("--version", action="version", version=f"pulsetui {__version__}")
    parser.add_argument("--data-dir", metavar="DIR", help="the data folder (default: paths.data_dir)")
    parser.add_argument("--config", metavar="FILE", help="the settings file (default: ~/.config/pulsetui/config.toml)")
    parser.add_argument(
        "--library", metavar="L", type=_text, help=f"of volumes: in this library (default {LIBRARY}; listed: all)"
    )
    parser.add_argument("--debug", action="store_true", help="tracebacks and debug log lines")
    parser.add_argument("--no-ui", action="store_true", help="the pipeline without a screen, until SIGTERM")
    parser.add_argument("--log-format", choices=("text", "json"), help="of the log lines of --no-ui (default text)")
    parser.set_defaults(run="run:run")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    _add(commands)
    _jobs(commands)
    _status(commands)
    _storage(commands)
    _volumes(commands)
    _library(commands)
    _audit(commands)
    _events(commands)
    _demo(commands)
    _doctor(commands)
    _config(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, and takes no abbreviated options: a new one would make an old script ambiguous."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"`{self.prog} --help` lists what there is")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        what = (action.metavar if not action.option_strings else action.option_strings[0]) or "value"
        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(choices)}"
        raise UsageError(f"there is no {str(what).lower()} {str(value)!r}", hint=hint)


def _add(commands: Any) -> None:
    parser = commands.add_parser("add", help="queue episodes: URLs, local files, or a list")
    parser.add_argument("sources", nargs="*", metavar="URL", help="an https URL, or the path of a file")
    parser.add_argument(
        "--from",
        dest="list_file",
        metavar="FILE",
        help="a list: a URL or path a line, .csv with a header, or .jsonl; - is standard input, in any of these",
    )
    parser.add_argument(
        "--entity", type=_text, default="", metavar='"P/C/S/G"', help="project/character/scene/segment, from the left"
    )
    parser.add_argument("--title", type=_text, default="", metavar="T", help="for a single source")
    parser.add_argument("--priority", type=_number, default=0, metavar="N", help="higher goes first (default 0)")
    _json(parser)
    parser.set_defaults(run="add:add")


def _jobs(commands: Any) -> None:
    parser = commands.add_parser("jobs", help="the queue: list, show, retry, cancel, transcript")
    _list_options(parser)
    parser.set_defaults(run="jobs:list_jobs", stage=None, project=None, text=None, limit=50)
    verbs = parser.add_subparsers(metavar="VERB", dest="verb")
    listing = verbs.add_parser("list", help="what `jobs` alone does")
    _list_options(listing)
    listing.set_defaults(run="jobs:list_jobs")
    shown = verbs.add_parser("show", help="one job with its history and its receipt")
    shown.add_argument("id", type=_id, metavar="ID")
    _json(shown)
    shown.set_defaults(run="jobs:show_job")
    transcript = verbs.add_parser("transcript", help="print a job's transcript")
    transcript.add_argument("id", type=_id, metavar="ID")
    transcript.add_argument("--format", choices=FORMATS, help="default txt, with --json json")
    _json(transcript)
    transcript.set_defaults(run="jobs:print_transcript")
    for verb, text in (
        ("retry", "try held, dead or cancelled jobs again, and waiting ones at once"),
        ("cancel", "give jobs up; their files stay"),
    ):
        changing = verbs.add_parser(verb, help=text)
        changing.add_argument("ids", type=_id, nargs="+", metavar="ID")
        _json(changing)
        changing.set_defaults(run=f"jobs:{verb}")


def _list_options(parser: argparse.ArgumentParser) -> None:
    # No defaults here: those of the inner parser would overwrite what was given before the verb.
    none = argparse.SUPPRESS
    parser.add_argument("--stage", metavar="S", type=_text, default=none, help="only this one: queued, held, dead …")
    parser.add_argument("--project", metavar="P", type=_project, default=none, help="only what lies below this entity")
    parser.add_argument(
        "--text", metavar="T", type=_text, default=none, help="only what has this in title, URL, entity or error"
    )
    parser.add_argument("--limit", metavar="N", type=_count, default=none, help="at most so many (default 50; 0: all)")
    _json(parser)


def _status(commands: Any) -> None:
    for name, text in (
        ("status", "owner, gate, usage, workers, rates, ETA"),
        ("pause", "start no more downloads (running ones finish)"),
        ("resume", "let downloads start again"),
    ):
        parser = commands.add_parser(name, help=text)
        _json(parser)
        parser.set_defaults(run=f"status:{name}")


def _storage(commands: Any) -> None:
    parser = commands.add_parser("storage", help="sizes: refresh, treemap, breakdown, history, export")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    refreshing = verbs.add_parser("refresh", help="read the sizes again")
    refreshing.add_argument("--full", action="store_true", help="list every folder, also those that look unchanged")
    _json(refreshing)
    refreshing.set_defaults(run="storage:refresh")
    _treemap(verbs)
    for name, text in (("breakdown", "how much of each kind of file"), ("history", "sizes so far, growth, full in")):
        verb = verbs.add_parser(name, help=text)
        _entity(verb)
        _json(verb)
        verb.set_defaults(run=f"storage:{name}")
    exporting = verbs.add_parser("export", help="write sizes as ncdu's JSON, for `ncdu -f`")
    what = exporting.add_mutually_exclusive_group()
    what.add_argument("--path", metavar="DIR", help="of this folder, file by file, instead of the entities'")
    _entity(what)
    exporting.add_argument("file", metavar="FILE", help="is made; - is standard output")
    _json(exporting)
    exporting.set_defaults(run="storage_tree:export")


def _treemap(verbs: Any) -> None:
    parser = verbs.add_parser("treemap", help="where the bytes are, as a picture or as JSON")
    what = parser.add_mutually_exclusive_group()
    _entity(what)
    what.add_argument("--path", metavar="DIR", help="of any folder; needs no data folder")
    what.add_argument("--import", dest="import_file", metavar="FILE", help="of an ncdu export; - is standard input")
    parser.add_argument(
        "--depth", type=_count, metavar="N", help="levels below the top (default: 3 in a picture, as JSON what fits)"
    )
    parser.add_argument(
        "--apparent", action="store_true", help="by the lengths of files, not by what they take on disk"
    )
    parser.add_argument("--by", choices=COLOURS, default="size", metavar="WHAT", help=f"colours: {', '.join(COLOURS)}")
    parser.add_argument("--over", choices=tuple(WINDOWS), default="24h", metavar="TIME", help="growth: 1h, 24h, 7d")
    parser.add_argument("--size", type=_cells, metavar="WxH", help="of the picture in cells (default: the terminal's)")
    _json(parser, "the tree, nested")
    parser.set_defaults(run="storage_tree:treemap")


def _entity(parser: Any) -> None:
    parser.add_argument("--entity", type=_text, metavar="TYPE:ID", help="of this one: its level, and its id or uuid")


def _volumes(commands: Any) -> None:
    parser = commands.add_parser("volumes", help="file systems: list, track, untrack, rename, accept, speedtest …")
    _json(parser)
    parser.set_defaults(run="volumes:list_volumes")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb")
    listing = verbs.add_parser("list", help="what `volumes` alone does")
    _json(listing)
    tracking = _volume(verbs, "track", "know it again wherever it is mounted")
    tracking.add_argument("--name", metavar="N", type=_text, help="what to call it (default: its mount point)")
    _volume(verbs, "untrack", "track it no more; no file is deleted")
    _volume(verbs, "rename", "call it something else").add_argument("name", metavar="NAME", type=_text)
    accepting = _volume(verbs, "accept", "end a quarantine: what is mounted is the tracked volume")
    accepting.add_argument("--mount", metavar="DIR", type=_text, help="which one it is, if several are mounted")
    testing = verbs.add_parser("speedtest", help="write and read a file on it, and keep how fast that went")
    testing.add_argument("fingerprint", nargs="?", metavar="FP", type=_text, help=_FINGERPRINT)
    testing.add_argument("--size", metavar="SIZE", type=_bytes, help="of each of three rounds, such as 64MB")
    testing.add_argument("--stop", action="store_true", help="stop the test that runs")
    refreshing = verbs.add_parser("refresh", help="look at all of them now")
    monitoring = verbs.add_parser("monitor", help="start or stop looking at them by itself")
    monitoring.add_argument("what", choices=("start", "stop"), metavar="WHAT", help="start, or stop")
    for verb, found in (("speedtest", testing), ("refresh", refreshing), ("monitor", monitoring)):
        _json(found)
        found.set_defaults(run=f"volumes:{verb}")


def _volume(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    parser.add_argument("fingerprint", metavar="FP", type=_text, help=_FINGERPRINT)
    _json(parser)
    parser.set_defaults(run=f"volumes:{name}")
    return parser


def _library(commands: Any) -> None:
    parser = commands.add_parser("library", help="libraries: list, add, remove")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    listing = verbs.add_parser("list", help="those that there are, and what is in them")
    _json(listing)
    listing.set_defaults(run="library:list_libraries")
    for verb, text in (("add", "make one"), ("remove", "remove one without entities; no file is touched")):
        changing = verbs.add_parser(verb, help=text)
        changing.add_argument("name", metavar="NAME", type=_text)
        _json(changing)
        changing.set_defaults(run=f"library:{verb}")


def _audit(commands: Any) -> None:
    parser = commands.add_parser("audit", help="who ordered what, and how it ended")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    listing = verbs.add_parser("list", help="the newest orders, the newest first")
    listing.add_argument("--limit", metavar="N", type=_count, default=50, help="at most so many (default 50; 0: all)")
    listing.add_argument("--verb", metavar="V", type=_text, dest="of_verb", help="only this order: volumes.track …")
    listing.add_argument("--before", metavar="ID", type=_id, help="only orders before this one")
    _json(listing)
    listing.set_defaults(run="audit:list_audit")


def _events(commands: Any) -> None:
    parser = commands.add_parser("events", help="the activity feed")
    parser.add_argument("--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--category", choices=CATEGORIES, metavar="C", help=f"one of {', '.join(CATEGORIES)}")
    parser.add_argument("--severity", choices=SEVERITIES, metavar="S", help=f"at least this: {', '.join(SEVERITIES)}")
    parser.add_argument("--project", metavar="P", type=_project, help="only what lies below this entity")
    parser.add_argument("--limit", metavar="N", type=_count, default=50, help="the newest so many (default 50; 0: all)")
    parser.add_argument("--before", metavar="ID", type=_id, help="only events older than this one")
    _json(parser, "one object a line")
    parser.set_defaults(run="events:events")


def _demo(commands: Any) -> None:
    parser = commands.add_parser("demo", help="the whole pipeline on generated speech videos, under a small budget")
    parser.add_argument("--no-ui", action="store_true", dest="demo_no_ui", help="progress as lines instead of the TUI")
    parser.add_argument(
        "--episodes", type=_count, default=DEFAULT_EPISODES, metavar="N", help=f"default {DEFAULT_EPISODES}"
    )
    parser.add_argument("--keep", metavar="DIR", help="keep the data and the videos in this folder")
    _json(parser, "the summary as one object, the last line on standard output")
    parser.set_defaults(run="demo:demo")


def _doctor(commands: Any) -> None:
    parser = commands.add_parser("doctor", help="checks the set-up and says what to do")
    _json(parser)
    parser.set_defaults(run="doctor:doctor")


def _config(commands: Any) -> None:
    parser = commands.add_parser("config", help="the settings and where each came from")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb", required=True)
    for name, text in (
        ("show", "every setting, its value and where it came from"),
        ("path", "where the settings file and the data lie"),
        ("init", "write a settings file to start from"),
    ):
        verb = verbs.add_parser(name, help=text)
        _json(verb)
        verb.set_defaults(run=f"config:{name}")


def _json(parser: argparse.ArgumentParser, text: str = "for scripts") -> None:
    # Without a default, so that an inner parser doesn't take back what was said before its verb.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=f"JSON: {text}")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - argparse offers no other way to list them
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for inner in action.choices.values():
                yield from _options(inner)


def _refuse_unknown_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    known = set(_options(parser))
    for word in words:
        name = word.partition("=")[0]
        if word == "--":
            return
        if name.startswith("-") and name != "-" and name not in known and not name[1:].isdigit():
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "`pulsetui --help` lists what there is"
            raise UsageError(f"there is no option {name!r}", hint=hint)

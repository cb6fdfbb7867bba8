from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulsetui.cli.words import build_parser, parse
from pulsetui.errors import UsageError
from pulsetui.files.names import display_text

COMMANDS = ["add", "jobs", "status", "events", "pause", "resume", "storage", "demo", "doctor", "config"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("stauts", "there is no command 'stauts'", "did you mean status?"),
        ("zzz", "there is no command 'zzz'", "use one of add, jobs, status, pause, resume"),
        ("jobs lst", "there is no verb 'lst'", "did you mean list?"),
        ("jobs --stag queued", "there is no option '--stag'", "did you mean --stage?"),
        ("jobs --proj x", "there is no option '--proj'", "did you mean --project?"),
        ("jobs --zzzzz x", "there is no option '--zzzzz'", "--help"),
        ("--datadir x jobs", "there is no option '--datadir'", "did you mean --data-dir?"),
        ("status now", "one word too many: 'now'", "--help"),
        ("jobs show", "the following arguments are required: ID", "`pulsetui jobs show --help`"),
        ("jobs show x", "'x' is not an id", "--help"),
        ("jobs show 0", "'0' is not an id", "--help"),
        ("jobs show 99999999999999999999", "is not an id", "--help"),
        ("jobs --limit -1", "'-1' is not a whole number from 0", "--help"),
        ("jobs --limit 1_0", "is not a whole number from 0", "--help"),
        ("add --priority high u", "'high' is not a whole number", "--help"),
        ("events --category jobs", "there is no --category 'jobs'", "did you mean job?"),
        ("--library other jobs", "--library does not go with jobs", "leave it out"),
        ("--no-ui jobs", "--no-ui does not go with jobs", "leave one"),
        ("--log-format json status", "--log-format does not go with status", "leave one"),
        ("config", "the following arguments are required: VERB", "`pulsetui config --help`"),
        ("jobs --project \udcff", "is not UTF-8", "--help"),
        ("storage", "the following arguments are required: VERB", "`pulsetui storage --help`"),
        ("storage tremap", "there is no verb 'tremap'", "did you mean treemap?"),
        ("storage treemap --by colour", "there is no --by 'colour'", "size, category"),
        ("storage treemap --size 10x10", "'10x10' is not a size", "--help"),
        ("storage treemap --size 80", "'80' is not a size in cells", "--help"),
        ("storage treemap --path a --entity scene:1", "not allowed with", "--help"),
        ("storage treemap --import a --path b", "not allowed with", "--help"),
        ("storage export --path a", "the following arguments are required: FILE", "--help"),
    ],
)
def test_a_wrong_word_is_named_with_what_to_write_instead(words: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words.split())
    assert message in str(raised.value)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("words", "run", "as_json"),
    [
        ("", "run:run", False),
        ("--no-ui --log-format json", "run:run", False),
        ("jobs", "jobs:list_jobs", False),
        ("jobs --json", "jobs:list_jobs", True),
        ("jobs --json show 1", "jobs:show_job", True),
        ("jobs show 1 --json", "jobs:show_job", True),
        ("jobs list --json", "jobs:list_jobs", True),
        ("--no-ui demo", "demo:demo", False),
        ("demo --no-ui --json", "demo:demo", True),
    ],
)
def test_json_and_options_may_stand_on_either_side_of_a_verb(words: str, run: str, as_json: bool) -> None:
    found = parse(words.split())
    assert (found.run, getattr(found, "json", False)) == (run, as_json)


def test_filters_before_list_are_kept() -> None:
    found = parse(["jobs", "--stage", "dead", "--limit", "3", "list", "--project", "Harbor"])
    assert (found.stage, found.limit, found.project) == ("dead", 3, "Harbor")


def parsers(parser: argparse.ArgumentParser, name: str = "pulsetui") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each command with its parser."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from parsers(inner, f"{name} {word}")


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]


OPTIONS = sorted({option for _, parser in parsers(build_parser()) for option in options_of(parser)})
WORDS = st.one_of(
    st.sampled_from([*COMMANDS, "list", "show", "retry", "cancel", "transcript", "init", "path", "1", "-1", "--"]),
    st.sampled_from(OPTIONS),
    st.text(max_size=12),
    st.binary(max_size=6).map(lambda raw: raw.decode(errors="surrogateescape")),
)


@given(st.lists(WORDS, max_size=7))
def test_whatever_is_typed_is_understood_or_refused_with_a_hint(words: list[str]) -> None:
    found, error = _outcome(words)
    if error is not None:
        assert (error.exit_code, bool(str(error)), bool(error.hint)) == (2, True, True)
        display_text(str(error)).encode()
    elif found is not None:
        assert re.fullmatch(r"[a-z]+:[a-z_]+", found.run)
    else:  # it asked for help or the version
        assert {"-h", "--help", "--version"} & set(words)


def _outcome(words: list[str]) -> tuple[argparse.Namespace | None, UsageError | None]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return parse(words), None
    except UsageError as error:
        return None, error
    except SystemExit:
        return None, None


@pytest.mark.parametrize(("command", "parser"), list(parsers(build_parser())), ids=lambda value: str(value)[:40])
def test_every_command_and_option_is_documented(command: str, parser: argparse.ArgumentParser) -> None:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    subject = " ".join(command.split()[:2])
    [section] = [section for section in sections if section.startswith(f"`{subject}`")]
    assert f"`{command}" in section
    wanted = [option for option in options_of(parser) if option.startswith("--") and option != "--help"]
    assert [option for option in wanted if not re.search(rf"(?<![\w-]){option}(?![\w-])", section)] == []


def written_commands() -> Iterator[tuple[str, str]]:
    """Yield every `pulsetui …` line of the code blocks of the documentation, with the page that it is on."""
    root = PAGE.parents[1]
    for page in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("pulsetui"):
                    yield page.name, line.removeprefix("pulsetui").strip()


@pytest.mark.parametrize(("page", "words"), list(written_commands()))
def test_every_command_line_in_the_documentation_is_one(page: str, words: str) -> None:
    assert parse(shlex.split(words, comments=True)).run, page

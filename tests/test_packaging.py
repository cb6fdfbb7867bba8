"""What is built has everything inside, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED = (
    "src/pulsetui/**/*.py",
    "src/pulsetui/**/*.sql",
    "src/pulsetui/demo/clips/*.opus",
    "src/pulsetui/demo/clips/*.txt",
    "src/pulsetui/py.typed",
    "styles/**/*.tcss",
    "config/*",
)


def shipped_files() -> set[str]:
    """Return the files of the repository that must be in a wheel and in an sdist."""
    return {
        str(path.relative_to(REPOSITORY)) for pattern in SHIPPED for path in REPOSITORY.glob(pattern) if path.is_file()
    }


def in_wheel(file: str) -> str:
    """Return where a wheel has a file of the repository."""
    return file.removeprefix("src/") if file.startswith("src/") else f"pulsetui/{file}"


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which must be a good one."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=REPOSITORY)
    (file,) = folder.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the unpacked sdist, as an installer does that finds no wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "tarfile", "-e", sdist, folder, cwd=folder)
    (unpacked,) = folder.iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=unpacked)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment that borrows the dependencies of this one; return its `bin`."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Folders that a .pth names have their own .pth files ignored, so an editable pulsetui there stays unseen.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (metadata,) = packages.glob("pulsetui-*.dist-info")
    (script,) = PathDistribution(metadata).entry_points.select(group="console_scripts")
    binaries = Path(sysconfig.get_path("scripts", "venv", scheme))
    program = binaries / script.name
    call = f"import sys\nfrom {script.module} import {script.attr}\nsys.exit({script.attr}())\n"
    program.write_text(f"#!{binaries / 'python'}\n{call}")
    program.chmod(0o755)
    return binaries


def away(home: Path) -> dict[str, str]:
    """Return an environment with an empty home and nothing of this checkout."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def test_the_repository_has_something_of_each_kind_to_ship() -> None:
    suffixes = {Path(file).suffix for file in shipped_files()}
    assert suffixes >= {".py", ".sql", ".opus", ".txt", ".tcss", ".toml", ".service", ".typed"}


def test_the_sdist_holds_everything_that_ships_and_what_builds_it(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = shipped_files() | {"pyproject.toml", "Makefile", "README.md", "LICENSE", "requirements/dev.txt"}
    assert needed - names == set()


def test_the_wheel_holds_everything_that_ships(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {in_wheel(file) for file in shipped_files()} - names == set()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pulsetui"}


def test_the_wheel_registers_the_program_and_its_engine(installed: Path) -> None:
    code = (
        "from importlib.metadata import distribution as d\n"
        "for point in d('pulsetui').entry_points: print(point.group, point.name, point.load().__name__)"
    )
    lines = run(installed / "python", "-c", code, cwd=installed).stdout.splitlines()
    assert sorted(lines) == [
        "console_scripts pulsetui main",
        "pulsetui.engines pocketsphinx PocketsphinxEngine",
    ]


def test_the_installed_package_is_the_wheels_and_finds_its_files(installed: Path, tmp_path: Path) -> None:
    code = (
        "import pulsetui; from importlib.resources import files; from pulsetui import resources\n"
        "print(pulsetui.__file__); print(resources.styles_dir()); print(resources.defaults_file())\n"
        "print(files('pulsetui').joinpath('db', 'migrations')); print(files('pulsetui').joinpath('demo', 'clips'))"
    )
    places = run(installed / "python", "-c", code, cwd=tmp_path, env=away(tmp_path)).stdout.splitlines()
    assert [place for place in places if not Path(place).is_relative_to(installed.parent)] == []
    assert [place for place in places if not Path(place).exists()] == []


def test_the_installed_program_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    done = run(installed / "pulsetui", "config", "path", cwd=elsewhere, env=away(home))
    assert str(home / ".config" / "pulsetui" / "config.toml") in done.stdout


def test_the_lock_names_no_index_and_no_place_of_a_machine() -> None:
    for file in sorted((REPOSITORY / "requirements").glob("*.txt")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert [line for line in lines if "://" in line or "--index" in line or "/" in line or " @ " in line] == []
        pinned = [line for line in lines if "==" in line and not line.startswith(" ")]
        assert pinned
        assert all(line.endswith("\\") for line in pinned), f"{file.name}: a version without a hash"


def test_the_tools_lock_holds_the_versions_of_the_run_lock() -> None:
    def versions(name: str) -> set[str]:
        text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
        return {line.rstrip("\\ ") for line in text.splitlines() if "==" in line and line[0].isalpha()}

    assert versions("run.txt") | versions("build.txt") <= versions("dev.txt")

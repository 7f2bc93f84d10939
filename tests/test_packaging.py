"""What is installed, and under which names."""

import ast
import configparser
import importlib
import tomllib
from pathlib import Path

import pytest

import ticklane

ROOT = Path(__file__).parents[1]
NOT_INSTALLED = {"benchmarks", "build", "dist", "docs", "examples", "tests"}


def setup_cfg() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    return config


def lines(option: str) -> list[str]:
    return setup_cfg()["options"][option].split()


PACKAGES = lines("packages")


def package_folders() -> list[str]:
    """Return the packages by their folders: those that hold Python and are to be installed."""
    folders = {
        path.parent.relative_to(ROOT)
        for path in ROOT.glob("*/**/*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".")
    }
    names = {".".join(("ticklane", *folder.parts)) for folder in folders}
    inner = {name for name in names if name.split(".")[1] not in NOT_INSTALLED}
    return sorted({"ticklane"} | inner)


def modules() -> list[str]:
    """Return all modules of the packages, but the one that is a program."""
    names = {
        package if path.stem == "__init__" else f"{package}.{path.stem}"
        for package in PACKAGES
        for path in ROOT.joinpath(*package.split(".")[1:]).glob("*.py")
    }
    return sorted(names - {"ticklane.__main__"})


def test_the_packages_listed_are_the_folders_there_are() -> None:
    assert package_folders() == PACKAGES


def test_every_package_has_an_init() -> None:
    without = [
        package
        for package in PACKAGES
        if not ROOT.joinpath(*package.split(".")[1:], "__init__.py").is_file()
    ]

    assert without == []


def test_the_version_is_the_same_everywhere() -> None:
    assert setup_cfg()["metadata"]["version"] == ticklane.__version__


def test_type_checkers_find_our_types() -> None:
    assert (ROOT / "py.typed").is_file()
    assert "py.typed" in setup_cfg()["options.package_data"]["ticklane"].split()


def test_the_root_holds_no_other_module() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]


def test_the_build_is_setuptools_and_no_more() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        pyproject = tomllib.load(file)

    assert pyproject["build-system"]["build-backend"] == "setuptools.build_meta"
    assert pyproject.keys() <= {"build-system", "tool"}


def test_the_seam_with_pykka_is_pinned() -> None:
    (pykka,) = [line for line in lines("install_requires") if line.startswith("pykka")]

    assert pykka == "pykka>=4.4,<5"


def test_the_command_exists() -> None:
    scripts = setup_cfg()["options.entry_points"]["console_scripts"].split(" = ")
    module, _, function = scripts[1].partition(":")

    assert scripts[0].strip() == "ticklane"
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", modules())
def test_a_module_says_what_is_public_and_keeps_its_word(name: str) -> None:
    module = importlib.import_module(name)
    missing = [public for public in module.__all__ if not hasattr(module, public)]

    assert missing == []


@pytest.mark.parametrize("name", modules())
def test_public_names_are_sorted_and_each_there_once(name: str) -> None:
    names = list(importlib.import_module(name).__all__)

    assert names == sorted(set(names), key=sorting_key)


def sorting_key(name: str) -> tuple[int, str]:
    """Sort as linters do: constants, then classes, then the rest."""
    if name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_passes_on_only_what_its_modules_call_public(package: str) -> None:
    module = importlib.import_module(package)
    private = [
        name
        for name in module.__all__
        if name != "__version__" and name not in _public_names_below(package)
    ]

    assert private == []


def _public_names_below(package: str) -> set[str]:
    """Return what a package defines itself, and what the modules it imports from call public."""
    path = ROOT.joinpath(*package.split(".")[1:], "__init__.py")
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and (node.level or "." in node.module):
            origin = importlib.import_module("." * node.level + node.module, package)
            names |= set(getattr(origin, "__all__", ()))
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names

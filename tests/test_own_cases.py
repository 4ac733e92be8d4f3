"""Our own conformance cases: the README's table and the folders agree."""

from __future__ import annotations

import re

import pytest

from tests.conformance.own_cases import (
    CONNLIST,
    FOLDER,
    REFUSED,
    VECTORS,
    case_names,
    manifest_files,
)

ROW = re.compile(r"^\| (?P<point>[^|]+) \| (?P<cases>[a-z0-9, -]+) \|$", re.MULTILINE)


def rows() -> dict[str, list[str]]:
    text = (FOLDER / "README.md").read_text()
    found = {m["point"]: m["cases"].split(", ") for m in ROW.finditer(text)}
    found.pop("---", None)
    return {point: cases for point, cases in found.items() if point != "point"}


def test_every_row_names_cases_that_are_there() -> None:
    found = rows()
    assert len(found) >= 37
    for point, cases in found.items():
        for case in cases:
            assert (FOLDER / case / "manifests.yaml").is_file(), f"{point}: {case}"


def test_every_case_is_in_a_row() -> None:
    named = {case for cases in rows().values() for case in cases}
    assert named == set(case_names())


@pytest.mark.parametrize("case", case_names())
def test_every_case_expects_something_and_says_what_it_is_about(case: str) -> None:
    expected = [n for n in (CONNLIST, VECTORS, REFUSED) if (FOLDER / case / n).exists()]
    assert expected
    files = {path.name for path in (FOLDER / case).iterdir()}
    assert files == {*expected, *(file.name for file in manifest_files(case))}
    assert manifest_files(case)[0].text.startswith("# ")

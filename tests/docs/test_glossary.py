"""One word, one meaning: the glossary has our words, and the source has no others for them."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, read

GLOSSARY = ROOT / "docs" / "glossary.md"
WORDS = (
    "event",
    "delivery",
    "entity",
    "clock",
    "position",
    "memory",
    "tombstone",
    "retention",
    "floor",
    "out of order",
    "late",
    "outcome",
    "reason",
    "settle",
    "apology",
    "frontier",
    "transport",
    "schedule",
    "divergence",
)
SYNONYMS = re.compile(
    r"verdict|disposition|horizon|watermark|low_water|high_water|dead_?letter(?!_topics)",
    re.IGNORECASE,
)
FOREIGN = {"dead letter", "dead-letter"}  # Kafka Connect's own name for its topics


def defined() -> dict[str, str]:
    """Word -> meaning, from the glossary's tables."""
    return dict(re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", read(GLOSSARY), re.MULTILINE))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_design_has_a_meaning(word: str) -> None:
    assert len(defined()[word]) > 20


def test_no_word_has_two_meanings() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", read(GLOSSARY), re.MULTILINE)

    assert len(words) == len(set(words))


def test_the_source_has_no_second_word_for_one_of_ours() -> None:
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for number, line in enumerate(read(path).splitlines(), 1):
            if SYNONYMS.search(line) and not any(name in line for name in FOREIGN):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert found == []

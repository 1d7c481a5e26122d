"""What an act is given: the words of the command, and the pipeline's store."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from anyorder.errors import ConfigurationError
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Store
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime.pipeline import Pipeline

LONGEST_NUMBER = 18  # digits of an entry's id
THE_ONE = -1  # `--accept` without a number: the one content that there is


class Asked(NamedTuple):
    """One command. `options`: its words."""

    options: argparse.Namespace
    pipeline: Pipeline
    store: Store

    @property
    def quarantine(self) -> Quarantine:
        """That of the whole store."""
        return Quarantine(self.store, None, self.pipeline.decode)

    @property
    def number(self) -> int:
        """The entry that is named. Raises ConfigurationError for a word that is no entry's id."""
        text = self.options.which or ""
        # a number that no store gives is no entry's either
        if not text.isdecimal() or len(text) > LONGEST_NUMBER:
            raise ConfigurationError(
                f"`quarantine {self.options.act}` needs an entry's id; "
                "`anyorder quarantine list` shows them"
            )
        return int(text)

    def catalogue(self) -> Catalogue:
        """Of what the pipeline declares today."""
        with self.store.reading() as transaction:
            return self.pipeline.routing.catalogue(transaction)

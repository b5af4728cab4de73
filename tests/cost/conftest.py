"""Hypothesis as it is used in this folder."""

from tests.strategies import use_repeatable_examples

use_repeatable_examples()

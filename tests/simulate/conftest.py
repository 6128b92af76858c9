"""Fixtures of the simulation's tests."""

from tests.catalogues.conftest import tap

__all__ = ["tap"]

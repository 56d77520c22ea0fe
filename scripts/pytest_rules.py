"""Where a run of pytest has to differ from what pytest or Odoo would do by itself."""

import os
import unittest

import pytest

from paths import WORK

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(WORK / "hypothesis"))


def pytest_sessionstart():
    """A browser test without a browser fails: Odoo would skip it, and nobody would notice."""
    from odoo.tests import common

    start = common.ChromeBrowser.__init__

    def start_or_fail(*args, **kwargs):
        try:
            common._find_executable()
        except unittest.SkipTest:
            pytest.fail(
                "Chromium is not installed: browser tests cannot run; apt install chromium",
                pytrace=False,
            )
        try:
            start(*args, **kwargs)
        except unittest.SkipTest as error:
            pytest.fail(f"Chromium does not start: {error}", pytrace=False)

    common.ChromeBrowser.__init__ = start_or_fail


def pytest_collection_modifyitems(config, items):
    """Like Odoo, leave out tests that a class inherits, and classes that a file imports."""

    def is_of_its_file(item):
        test_class = getattr(item, "cls", None)
        if test_class is None:
            return True
        if test_class.__module__ != item.module.__name__:
            return False
        inherits = getattr(test_class, "allow_inherited_tests_method", False)
        return inherits or item.originalname in vars(test_class)

    left_out = [item for item in items if not is_of_its_file(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if is_of_its_file(item)]

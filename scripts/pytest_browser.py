"""A browser test that finds no browser fails: Odoo would skip it, and nobody would notice."""

import unittest

import pytest


def pytest_sessionstart():
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

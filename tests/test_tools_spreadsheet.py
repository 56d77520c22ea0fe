# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Cells as people type them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.spreadsheet import (
    CellError,
    normalize,
    read_rows,
    to_date,
    to_number,
    to_seconds,
    to_text,
    to_whole,
)


def make_xlsx(rows):
    """The bytes of a spreadsheet with these rows."""
    book, stream = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


@tagged("post_install", "-at_install")
class TestCells(BaseCase):
    def assertRefused(self, code, function, *cell):
        with self.assertRaises(CellError) as caught:
            function(*cell)
        self.assertEqual(caught.exception.code, code, cell)

    def test_numbers(self):
        for cell, number in (
            ("12", "12"),
            ("-12.5", "-12.5"),
            ("12,50", "12.5"),
            (".5", "0.5"),
            ("0,125", "0.125"),
            ("0.125", "0.125"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("-1 234 567,8", "-1234567.8"),
            ("1\u00a0234,5", "1234.5"),
            ("1\u202f234", "1234"),
            ("1’234.5", "1234.5"),
            ("1.234.567", "1234567"),
            ("1,2345", "1.2345"),
            ("1234.567", "1234.567"),
            (0.1, "0.1"),
            (7, "7"),
            (Decimal("7.10"), "7.1"),
        ):
            with self.subTest(cell=cell):
                self.assertEqual(to_number(cell), Decimal(number))

    def test_what_is_no_number(self):
        for cell in ("twelve", "1.2.3", "12h", "1.234.5", "12,34.5", "1e5", "€ 5", "-", True):
            self.assertRefused("number", to_number, cell)
        for cell in (float("nan"), float("inf"), date(2026, 1, 1)):
            self.assertRefused("number", to_number, cell)

    def test_a_thousand_or_a_bit_more_than_one(self):
        for cell in ("1.234", "1,234", "-12,500"):
            self.assertRefused("ambiguous", to_number, cell)

    @given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
    def test_every_way_of_writing_an_amount(self, number):
        english = f"{number:,.2f}"
        swapped = english.translate(str.maketrans(",.", ".,"))
        for text in (str(number), str(number).replace(".", ","), english, swapped):
            self.assertEqual(to_number(text), number)

    def test_hours(self):
        for cell, seconds in (
            ("12:30", 45000),
            ("0:05", 300),
            ("120:00:30", 432030),
            ("12.5", 45000),
            ("12,5", 45000),
            (12.5, 45000),
            (1.1, 3960),
            (8, 28800),
            (time(12, 30), 45000),
            (timedelta(hours=36, minutes=15), 130500),
            (datetime(1900, 1, 1, 12), 129600),  # how a spreadsheet keeps 36:00
            ("0", 0),
        ):
            with self.subTest(cell=cell):
                self.assertEqual(to_seconds(cell), seconds)

    @given(st.integers(0, 10**7))
    def test_every_second_survives(self, seconds):
        minutes, rest = divmod(seconds, 60)
        self.assertEqual(to_seconds(f"{minutes // 60}:{minutes % 60:02}:{rest:02}"), seconds)
        self.assertEqual(to_seconds(seconds / 3600), seconds)

    def test_what_are_no_hours(self):
        for cell in ("12:60", "a lot", "12:", datetime(2026, 1, 1), date(2026, 1, 1)):
            self.assertRefused("hours", to_seconds, cell)
        self.assertRefused("negative", to_seconds, "-1")
        self.assertRefused("negative", to_seconds, timedelta(hours=-1))
        self.assertRefused("large", to_seconds, "600000")

    def test_whole_numbers(self):
        self.assertEqual([to_whole(cell) for cell in ("3", 3.0, "3,0", "0")], [3, 3, 3, 0])
        self.assertRefused("whole", to_whole, "2.5")
        self.assertRefused("negative", to_whole, -1)
        self.assertRefused("number", to_whole, "three")
        self.assertRefused("large", to_whole, 2**31)

    def test_dates(self):
        for cell in ("2026-01-31", "31.01.2026", date(2026, 1, 31), datetime(2026, 1, 31, 9)):
            self.assertEqual(to_date(cell, ["%d.%m.%Y"]), date(2026, 1, 31))
        self.assertEqual(to_date("01/31/2026", ["%m/%d/%Y"]), date(2026, 1, 31))
        for cell in ("31.01.2026", "2026-02-30", 46053, "tomorrow"):
            self.assertRefused("date", to_date, cell)

    def test_empty_cells_say_nothing(self):
        for function in (to_date, to_number, to_seconds, to_whole):
            self.assertIsNone(function(None))
        self.assertEqual(to_text(None), "")

    def test_texts(self):
        self.assertEqual([to_text(cell) for cell in ("Lumen", 7.0, 7)], ["Lumen", "7", "7"])
        self.assertEqual(normalize("  Hours \n LEFT "), "hours left")


@tagged("post_install", "-at_install")
class TestFiles(BaseCase):
    def test_csv_by_what_separates_its_header(self):
        for separator in ";,\t":
            content = f'Customer{separator}Plan\n\n "Lumen; Co, Ltd"{separator} Gold \n'
            rows = read_rows(content.replace(' "', '"').encode("utf-8-sig"))
            self.assertEqual(rows, [(1, ("Customer", "Plan")), (3, ("Lumen; Co, Ltd", "Gold"))])

    def test_xlsx(self):
        content = make_xlsx(
            [("Customer", "Start"), (None, " "), ("Lumen", datetime(2026, 1, 31)), (7, None)]
        )
        self.assertEqual(
            read_rows(content),
            [
                (1, ("Customer", "Start")),
                (3, ("Lumen", datetime(2026, 1, 31))),
                (4, (7, None)),
            ],
        )

    def test_files_that_are_something_else(self):
        for code, content in (
            ("file", b"PK\x03\x04 not really"),
            ("encoding", "Müller;Gold".encode("latin-1")),
            ("file", b"a;b\n\x00;c"),
        ):
            with self.assertRaises(CellError) as caught:
                read_rows(content)
            self.assertEqual(caught.exception.code, code)

    def test_empty_file(self):
        self.assertEqual(read_rows(b""), [])

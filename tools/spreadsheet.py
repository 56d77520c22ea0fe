# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What the cells of a spreadsheet say, whoever has typed them.

A cell is what the file gives: text from a CSV file; text, numbers, dates and times from an
XLSX one. An empty cell is None. What can't be read, or can be read in two ways, raises
CellError with a code that says what is wrong.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import NamedTuple
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.datavalidation import DataValidation

Cell = str | int | float | Decimal | bool | date | datetime | time | timedelta | None

MAX_UNITS = 2**31 - 1
_GROUPED = re.compile(r"([+-]?)(\d{1,3}([ '.,])\d{3}(?:\3\d{3})*)([.,]\d+)?")
_PLAIN = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)")
_CLOCK = re.compile(r"(\d+):([0-5]?\d)(?::([0-5]?\d))?")


class CellError(ValueError):
    """What a cell holds can't be used; `code` says why, for whoever words the message.

    One of: file, encoding, date, number, ambiguous, hours, whole, negative, large.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class Row(NamedTuple):
    """A row of the file: its number there, counted from 1, and its cells."""

    number: int
    cells: tuple[Cell, ...]


def read_rows(content: bytes) -> list[Row]:
    """The rows of an XLSX or CSV file that aren't empty, by what is in the file.

    Of an XLSX file the first sheet; formulas count as their results. CSV in UTF-8, with
    semicolons, commas or tabs between the cells. Raises CellError (file, encoding).
    """
    rows = _read_xlsx(content) if content[:2] == b"PK" else _read_csv(content)
    cleaned = (Row(number, tuple(map(_clean, cells))) for number, cells in enumerate(rows, 1))
    return [row for row in cleaned if any(cell is not None for cell in row.cells)]


def normalize(text: Cell) -> str:
    """A header or a key as it is compared: without case and with single spaces."""
    return " ".join(str(text or "").split()).casefold()


def to_text(cell: Cell) -> str:
    """The cell as text; a number without the zeros that a spreadsheet adds (a reference: 7)."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def to_date(cell: Cell, formats: Sequence[str] = ()) -> date | None:
    """The day: a date of the spreadsheet, ISO text, or text in one of strftime's formats.

    Raises CellError (date).
    """
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        for form in ("%Y-%m-%d", *formats):
            try:
                return datetime.strptime(cell, form).date()
            except ValueError:
                continue
    raise CellError("date")


def to_number(cell: Cell) -> Decimal | None:
    """The exact number, with a decimal point or comma and groups of thousands or none.

    “1.234” and “1,234” are a thousand to some and one and a bit to others: they raise
    CellError (ambiguous); what is no number raises CellError (number).
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise CellError("number")
    if isinstance(cell, int | float | Decimal):
        number = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
        if not number.is_finite():
            raise CellError("number")
        return number
    if not isinstance(cell, str):
        raise CellError("number")
    text = re.sub(r"\s", " ", cell).replace("’", "'").replace("−", "-")
    match = _GROUPED.fullmatch(text)
    if match and not match[2].startswith("0"):
        return _to_grouped(*match.groups())
    if _PLAIN.fullmatch(text):
        return Decimal(text.replace(",", "."))
    raise CellError("number")


def to_seconds(cell: Cell) -> int | None:
    """Whole seconds of hours: 12:30, 12.5 or 12,5, or a time of the spreadsheet.

    Raises CellError (hours, ambiguous, negative, large).
    """
    if cell is None:
        return None
    if isinstance(cell, time):
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
    elif isinstance(cell, datetime) and cell.year <= 1900:  # how 36:00 is kept
        cell = timedelta(days=to_excel(cell))
    if isinstance(cell, timedelta):
        return _to_units(Decimal(round(cell.total_seconds())))
    if isinstance(cell, str) and (match := _CLOCK.fullmatch(cell)):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return _to_units(Decimal(hours * 3600 + minutes * 60 + seconds))
    try:
        hours = to_number(cell)
    except CellError as error:
        raise CellError("hours" if error.code == "number" else error.code) from error
    return _to_units((hours * 3600).to_integral_value("ROUND_HALF_UP"))


def to_whole(cell: Cell) -> int | None:
    """A whole number from 0 on. Raises CellError (number, ambiguous, whole, negative, large)."""
    number = to_number(cell)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise CellError("whole")
    return _to_units(number)


def write_template(columns: Mapping[str, tuple[str, Sequence[str]]]) -> bytes:
    """An empty XLSX file of columns: {heading: (note, the values it offers)}.

    What is offered stands on a second sheet; the user may type something else.
    """
    book = Workbook()
    sheet = book.active
    lists = book.create_sheet("Lists")
    for number, (heading, (note, values)) in enumerate(columns.items(), 1):
        cell = sheet.cell(1, number, heading)
        cell.font = Font(bold=True)
        cell.comment = Comment(note, "")
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = max(len(heading) + 2, 14)
        if values:
            for row, value in enumerate(values, 1):
                lists.cell(row, number, value)
            offer = DataValidation(
                type="list", formula1=f"Lists!${letter}$1:${letter}${len(values)}"
            )
            offer.showErrorMessage = False
            offer.add(f"{letter}2:{letter}5000")
            sheet.add_data_validation(offer)
    lists.sheet_state = "hidden"
    sheet.freeze_panes = "A2"
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _read_xlsx(content):
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        return list(book.worksheets[0].iter_rows(values_only=True))
    # What is wrong inside such a file comes as any of these.
    except (BadZipFile, KeyError, ValueError, OSError, IndexError, TypeError) as error:
        raise CellError("file") from error


def _read_csv(content):
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CellError("encoding") from error
    if "\0" in text:
        raise CellError("file")
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";,\t", key=header.count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise CellError("file") from error


def _clean(cell):
    if isinstance(cell, str):
        return cell.strip() or None
    return cell


def _to_grouped(sign, body, separator, fraction):
    """The number of which the digits are grouped by thousands."""
    if fraction and fraction[0] == separator:
        raise CellError("number")
    if not fraction and separator in ".," and body.count(separator) == 1:
        raise CellError("ambiguous")
    return Decimal(sign + body.replace(separator, "") + (fraction or "").replace(",", "."))


def _to_units(number):
    if number < 0:
        raise CellError("negative")
    if number > MAX_UNITS:
        raise CellError("large")
    return int(number)

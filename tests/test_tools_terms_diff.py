# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""What differs between two versions of terms."""

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.support_contract.tools.terms_diff import Row, compare

exact = settings(deadline=None, derandomize=True)
keys = st.sampled_from([f"line/{n}" for n in range(6)])
terms = st.dictionaries(keys, st.integers(0, 3), max_size=6).map(
    lambda values: [
        Row(key, "Lines", f"L{value}", value, str(value)) for key, value in values.items()
    ]
)


@tagged("post_install", "-at_install")
class TestCompare(BaseCase):
    def test_changed_added_removed(self):
        old = [Row("line/1", "Lines", "Fee", 100, "100.00"), Row("line/2", "Lines", "PC", 5, "5")]
        new = [Row("line/1", "Lines", "Fee", 90, "90.00"), Row("line/3", "Lines", "Mac", 7, "7")]
        changes = [(change.label, change.old, change.new) for change in compare(old, new)]
        self.assertEqual(changes, [("Fee", "100.00", "90.00"), ("Mac", "", "7"), ("PC", "5", "")])

    def test_another_language_is_no_change(self):
        old = [Row("field/policy", "Terms", "Policy", "block", "Block")]
        new = [Row("field/policy", "Konditionen", "Regel", "block", "Sperren")]
        self.assertEqual(compare(old, new), [])

    def test_made_anew_as_it_was_is_no_change(self):
        old = [Row("line/1", "Lines", "Fee", [1, 100], "100.00")]
        new = [Row("line/9", "Lines", "Fee", [1, 100], "100.00")]
        self.assertEqual(compare(old, new), [])
        changes = compare(old, [*new, Row("line/8", "Lines", "Fee", [1, 100], "100.00")])
        self.assertEqual([(change.old, change.new) for change in changes], [("", "100.00")])

    @exact
    @given(terms, terms)
    def test_the_changes_lead_from_one_to_the_other(self, old, new):
        self.assertEqual(compare(old, old), [])
        counts = {}
        for row in old:
            counts[row.text] = counts.get(row.text, 0) + 1
        for change in compare(old, new):
            if change.old:
                counts[change.old] -= 1
            if change.new:
                counts[change.new] = counts.get(change.new, 0) + 1
        wanted = {}
        for row in new:
            wanted[row.text] = wanted.get(row.text, 0) + 1
        self.assertEqual({text: count for text, count in counts.items() if count}, wanted)
        back = compare(new, old)
        self.assertEqual(len(back), len(compare(old, new)))

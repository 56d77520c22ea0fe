# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
import logging
from datetime import timedelta
from random import uniform
from time import sleep

from psycopg2.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import mute_logger

from ..tools.sla import BREACH, get_due

_logger = logging.getLogger(__name__)

# A clock that could not be handled is tried again after so long.
RETRY = timedelta(minutes=10)
# So often in a row a batch is tried again, each time a smaller one and after a longer rest, when
# somebody else has changed its clocks meanwhile.
ATTEMPTS = 10
REST = 0.01  # seconds
# Those who work on tickets lock them before their clocks, the job the other way round.
CONFLICTS = (SerializationFailure, DeadlockDetected, LockNotAvailable)


class SupportSlaTimer(models.Model):
    """The minute job: what is due on clocks is noted and told, each thing once.

    One indexed query finds the clocks that are due, however many there are. Each batch is a
    transaction; clocks that another machine handles at the moment are passed by.
    """

    _inherit = "support.sla.timer"

    @api.model
    def _cron_handle_due(self, batch_size=100):
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        cron._commit_progress(remaining=self.search_count(self._get_due_domain(now)))
        conflicts = 0
        while True:
            try:
                with mute_logger("odoo.sql_db"):  # a conflict is expected, and no error
                    size = max(batch_size >> conflicts, 1)
                    timers = self.search(self._get_due_domain(now), limit=2 * size)
                    timers = timers.try_lock_for_update(limit=size)
                    handled = len(timers)
                    timers._handle_due(now)
                    time_left = cron._commit_progress(handled)
            except CONFLICTS:
                # Somebody has changed the tickets meanwhile: look again at how they are now.
                self.env.cr.rollback()
                conflicts += 1
                if conflicts > ATTEMPTS:
                    raise
                sleep(uniform(0, REST * 2**conflicts))
                continue
            conflicts = 0
            if not handled or not time_left:
                break

    @api.model
    def _get_due_domain(self, now):
        return Domain("next_event_at", "<", now)

    def _handle_due(self, now):
        """Note and tell what is due on these locked clocks; one that fails is tried again later."""
        try:
            with self.env.cr.savepoint():
                self._handle_events(now)
        except CONFLICTS:
            raise
        except Exception:  # one broken clock must not stop the others
            for timer in self:
                timer._handle_alone(now)

    def _handle_alone(self, now):
        self.ensure_one()
        self.env.invalidate_all()
        try:
            with self.env.cr.savepoint():
                self._handle_events(now)
        except CONFLICTS:
            raise
        except Exception:
            _logger.exception("What is due on the SLA clock of %s failed", self.ticket_id.number)
            self.next_event_at = now + RETRY

    def _handle_events(self, now):
        """Note what is due on these clocks by its true moment, tell people, and read them anew."""
        events = []
        for timer, time, clock in self._get_clocks():
            steps = timer.version_id._get_steps(timer.kind)
            due = get_due(time, clock, steps, now, timer.event_ids.mapped("key"))
            events += [timer._prepare_event(moment, key) for moment, key in due]
        events = self.env["support.sla.event"].create(events)
        self._read(now)
        events._tell()

    def _prepare_event(self, moment, key):
        self.ensure_one()
        kind = "breach"
        if key != BREACH:
            kind = "warning" if moment < self.deadline else "escalation"
        return {"timer_id": self.id, "key": key, "kind": kind, "moment": moment}

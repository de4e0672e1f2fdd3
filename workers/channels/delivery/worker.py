"""The delivery worker: its lanes, and beside them the dispatcher and the runners of what leaves tickets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import uvloop

from config.settings import Settings
from workers.channels.delivery.dispatcher import Dispatcher
from workers.channels.delivery.erasing import erasing_chore
from workers.channels.delivery.handler import DeliveryHandler
from workers.channels.delivery.vault import open_vault
from workers.channels.fetching.fetcher import Fetcher
from workers.channels.mail.mailer import Mailer
from workers.channels.outreach.runner import Runner
from workers.channels.phone.caller import run_caller
from workers.channels.reading.errands import Errands
from workers.files.files import open_files
from workers.runtime.handler import Handler
from workers.runtime.topology import Topology
from workers.runtime.worker import run_worker


def run_delivery(settings: Settings) -> None:
    """Run the worker in this process until SIGTERM or SIGINT.

    Raises ConfigurationError when production has no key for the tokens, and as `run_worker` does.
    """
    vault = open_vault(settings, must_last=False)
    beside = {"dispatcher": Dispatcher(settings, vault).run, "errands": Errands(settings, vault).run}
    files = open_files(settings)
    if files is not None:
        beside["files"] = Fetcher(settings, files).run
    if settings.mail.reply_address is not None:
        beside["mails"] = Runner(settings, Mailer(settings.mail, vault, files)).run
    if settings.phone.accounts:
        beside["phone"] = partial(run_caller, settings)
    chores = (erasing_chore(),)
    uvloop.run(run_worker("delivery", delivery_handlers, settings, chores, side_tasks=beside))


def delivery_handlers(topology: Topology, settings: Settings) -> Sequence[Handler]:
    """The one handler of delivery's lanes."""
    topology.lanes(DeliveryHandler.inputs)
    return [DeliveryHandler(settings.delivery, settings.mail, settings.phone)]

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from labelling.services.demo import DEMO_PLACES, DEMO_TITLE, demo_places, load_demo
from mad_web.people import invite_first_people


class Command(BaseCommand):
    help = (
        "Load the demonstration: synthetic scenes, seeds, a campaign, and the first users where there are none. "
        "With --loop: an oracle reviews, a model trains, is scored and detects, and datasets are exported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="the whole loop without a browser (minutes)")
        parser.add_argument("--epochs", type=int, default=None, help="of the training in the loop")
        parser.add_argument("--json", action="store_true", help="with --loop: one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("prepare", verbosity=0)
        if options["loop"]:
            self._loop(as_json=options["json"], epochs=options["epochs"])
            return
        load_demo(places=demo_places(DEMO_PLACES), title=DEMO_TITLE, say=self.stderr.write)
        # Last, so that a start that was interrupted leaves nobody whose password was never shown.
        passwords = invite_first_people()
        for name, password in passwords.items():
            self.stdout.write(f"  {name:<10} {password}")

    def _loop(self, *, as_json: bool, epochs: int | None) -> None:
        from training.services.demo import run_loop

        outcome = run_loop(epochs=epochs, say=self.stderr.write)
        if as_json:
            self.stdout.write(json.dumps(outcome, indent=2))
            return
        for step, figures in outcome.items():
            self.stdout.write(f"{step:<12} {figures}")

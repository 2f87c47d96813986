from typing import Any

from django.core.management.base import BaseCommand

from training.services.suspects import look_for_suspects


class Command(BaseCommand):
    help = "Look for labels that look wrong: by seeds, by detectors, and by the latest classifier of types."

    def handle(self, *args: Any, **options: Any) -> None:
        found = look_for_suspects()
        self.stdout.write(
            f"looked at {found.labels} labels: {found.suspects} look wrong, {found.fresh} of them new; "
            f"{found.settled} were settled before"
        )

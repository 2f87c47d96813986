from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from labelling.services.taxonomy import sync_taxonomy
from mad_web.roles import sync_roles


class Command(BaseCommand):
    help = "Bring database, taxonomy, roles and static files up to this version. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        sync_taxonomy()
        sync_roles()
        call_command("collectstatic", verbosity=0, interactive=False)
        self.stdout.write("database, taxonomy, roles and static files are ready")

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from labelling.services.campaigns import ensure_default_campaign
from labelling.services.taxonomy import sync_taxonomy
from mad_web.roles import sync_roles
from mad_web.statics import collect_changed_statics


class Command(BaseCommand):
    help = "Bring database, taxonomy, roles and static files up to this version. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            msg = f"the database cannot be used ({error}); check DATABASE_URL"
            raise CommandError(msg) from error
        sync_taxonomy()
        sync_roles()
        ensure_default_campaign()
        collect_changed_statics()
        if options["verbosity"]:
            self.stdout.write("database, taxonomy, roles and static files are ready")

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labelling.services.decisions import check_decisions, rebuild_labels


class Command(BaseCommand):
    help = "Check that every decision is there and that every site shows what its decisions say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="derive again what a site shows from its decisions; sites that miss decisions stay as they are",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = check_decisions()
        self.stdout.write(f"looked at {found.decisions} decisions on {found.sites} sites")
        for fault in found.faults:
            self.stdout.write(f"site {fault.site} {fault.text}")
        lost = sum(fault.is_loss for fault in found.faults)
        wrong = [fault.site for fault in found.faults if not fault.is_loss]
        if options["rebuild"] and wrong:
            rebuild_labels(sites=wrong)
            wrong = [fault.site for fault in check_decisions().faults if not fault.is_loss]
        advice = []
        if lost:
            advice.append(f"{lost} sites miss decisions: bring them back from a backup, or ask their reviewers")
        if wrong:
            advice.append(f"{len(wrong)} sites show something else: call this again with --rebuild")
        if advice:
            raise CommandError("; ".join(advice))
        self.stdout.write(self.style.SUCCESS("every decision is there, and every site shows what they say"))

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labelling.models import Campaign
from training.services.order import refresh_order


class Command(BaseCommand):
    help = "Weigh the open sites anew, so that the queue serves what teaches most."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", help="slug of a campaign; else every open site")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = None
        if slug := options["campaign"]:
            campaign = Campaign.objects.filter(slug=slug).first()
            if campaign is None:
                msg = f"no campaign {slug!r}: the part of its address after /review/ is meant"
                raise CommandError(msg)
        counts = refresh_order(campaign=campaign)
        self.stdout.write(f"weighed {counts.sites} open sites, {counts.changed} of them have a new turn")

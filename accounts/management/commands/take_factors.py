"""`manage.py take_factors NAME`: for somebody who lost them and whom no superuser can help."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.second_factor import take_factors


class Command(BaseCommand):
    help = "Take all second factors of a login away, and end its sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")

    def handle(self, *_: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["name"]).first()
        if person is None:
            raise CommandError(f"There is no login '{options['name']}'.")
        count = take_factors(person)
        self.stdout.write(
            f"Taken away: {count}. '{person}' signs in by password alone until a factor is added."
        )

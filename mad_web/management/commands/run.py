import errno
import fcntl
import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mad_web.supervisor import Plan, Program

SUPERVISOR = Path(__file__).resolve().parents[2] / "supervisor.py"


class Command(BaseCommand):
    help = "Run all of MAD Web on this machine: pages, CPU worker with schedule, GPU worker. Ctrl-C ends it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--no-demo", action="store_true", help="start empty instead of with the demonstration")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        check_port(host, port)
        hold_home()
        call_command("prepare", verbosity=0, stdout=self.stdout)
        self.greet(demo=not options["no_demo"])
        if _training_part():
            self.stdout.write(f"Training is being installed in the background; see {settings.LOG_ROOT / 'gpu.log'}")
        self.stdout.flush()
        connection.close()
        plan = Plan(
            programs=programs(host, port),
            logs=str(settings.LOG_ROOT),
            host=host,
            port=port,
        )
        # The supervisor takes this process's place: Django in it would cost 100 MB for nothing.
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-I", str(SUPERVISOR), plan.to_json()])  # noqa: S606

    def greet(self, *, demo: bool) -> None:
        if User.objects.exists():
            self.stdout.write("Passwords were printed at the first start; a new one: manage.py changepassword NAME")
        elif demo:
            self.stdout.write("First start: making the demonstration")
            call_command("demo", stdout=self.stdout)
        else:
            self.stdout.write("Nobody can log in yet; make the first user: manage.py createsuperuser")


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken, before anything else is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            msg = f"port {port} of {host} {why}; choose another: make run PORT={port + 1}"
            raise CommandError(msg) from None


def hold_home() -> None:
    """Keep a second ``run`` from the same data; the lock ends with this process and its successor."""
    lock = os.open(settings.MAD_HOME / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        msg = f"MAD Web already runs on the data in {settings.MAD_HOME}; end it, or set MAD_HOME to another folder"
        raise CommandError(msg) from None
    os.set_inheritable(lock, True)


def programs(host: str, port: int) -> tuple[Program, ...]:
    """The processes of the embedded default."""
    gunicorn = f"gunicorn mad_web.wsgi --bind {host}:{port} --workers 1 --worker-class gthread --threads 8 --timeout 60"
    celery = "celery -A mad_web worker --without-gossip --without-mingle --without-heartbeat --loglevel INFO"
    return (
        Program("web", _module(f"{gunicorn} --graceful-timeout 3 --no-control-socket")),
        Program("cpu", _module(f"{celery} -Q cpu -n cpu@%h --concurrency 2 -B")),
        Program("gpu", (*_training_part(), *_module(f"{celery} -Q gpu -n gpu@%h --pool solo"))),
    )


def _module(line: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *line.split())


def _training_part() -> tuple[str, ...]:
    """What to put before the GPU worker's command where torch must be installed first.

    Reviewing need not wait for it: it is installed beside the running pages, and its worker starts then.
    """
    environment, lock = settings.BASE_DIR / ".venv", settings.BASE_DIR / "requirements" / "worker.txt"
    installed = environment / "installed-worker.txt"
    if Path(sys.prefix) != environment or (installed.is_file() and installed.read_bytes() == lock.read_bytes()):
        return ()
    return ("/bin/sh", "-c", '.ci/setup worker && exec "$@"', "sh")

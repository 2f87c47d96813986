"""Set the stage of ``bench_review``: one campaign over many places. ``python -m tests.bench.pace STORY PLACES``"""

import sys
from pathlib import Path

SESSION = "session"  # the file in MAD_HOME with the key of Ana's session


def main(story: str, count: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    from labelling.core.synthetic import make_places
    from tests.browser.stage import play_on
    from tests.cast import Cast

    call_command("prepare", verbosity=0)
    session = SessionStore()
    ana = Cast.arrive().ana
    session.update({SESSION_KEY: str(ana.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
    session[HASH_SESSION_KEY] = ana.get_session_auth_hash()
    session.save()
    (Path(settings.MAD_HOME) / SESSION).write_text(str(session.session_key))
    play_on(story, make_places(count, seed=23))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

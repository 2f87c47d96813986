"""The people of the tests. They have names, so that a test reads as a story."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, User

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    ana: User
    ben: User
    lea: User
    ada: User
    gus: User
    eve: User

    @classmethod
    def arrive(cls) -> "Cast":
        roles = {
            "ana": "reviewer",
            "ben": "reviewer",
            "lea": "lead",
            "ada": "admin",
            "gus": "analyst",
            "eve": None,
        }
        people = {}
        for name, role in roles.items():
            person = User.objects.create_user(name, password=PASSWORD)
            if role:
                person.groups.add(Group.objects.get(name=role))
            people[name] = person
        return cls(**people)

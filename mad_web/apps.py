from django.apps import AppConfig


class MadWebConfig(AppConfig):
    name = "mad_web"

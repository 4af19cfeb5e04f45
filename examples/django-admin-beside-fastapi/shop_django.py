"""A Django project in one file: its admin, its users, its sessions, and one model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import django
from django.conf import settings

FILE = Path(os.environ.get("SHOP_DB", "shop.sqlite3"))

settings.configure(
    SECRET_KEY="for the example only",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    STATIC_URL="static/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()

from django.contrib import admin  # noqa: E402  # models need the settings above
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Item(models.Model):
    """Something in the shop."""

    name = models.CharField(max_length=80)
    price = models.IntegerField(default=0)

    class Meta:
        app_label = "auth"  # a project in one file has no app of its own; migrations of `auth` do not mind
        managed = False
        db_table = "item"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return str(self.name)


admin.site.register(Item)


def me(request: HttpRequest) -> JsonResponse:
    """Who is logged in; the route that FastAPI takes over."""
    return JsonResponse({"name": request.user.get_username() or None, "by": "django"})


urlpatterns: list[Any] = [path("admin/", admin.site.urls), path("api/me", me)]
app = StaticFilesHandler(get_wsgi_application())


def prepare() -> None:
    """Make the database, with an item and somebody who may see the admin."""
    from django.db import connection

    call_command("migrate", verbosity=0)
    if Item._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Item)
        Item.objects.create(name="Teapot", price=20)
    if not User.objects.filter(username="ada").exists():
        User.objects.create_superuser("ada", "", "secret")
    connection.close()

"""A Django project in one file with every kind of pattern; the admin, sessions, and a persistent connection.

Its database is the file $DATABASE, with its tables made, or else an empty one in memory.
"""

import os
from typing import Any

import django
from django.conf import settings
from django.contrib import admin
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.utils.deprecation import MiddlewareMixin
from django.views import View
from django.views.decorators.http import require_http_methods

DATABASE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.environ.get("DATABASE", ":memory:"),
    "CONN_MAX_AGE": 60,
    "ATOMIC_REQUESTS": True,
}
if "CONN_MAX_AGE" in os.environ:
    DATABASE["CONN_MAX_AGE"] = int(os.environ["CONN_MAX_AGE"])

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="test",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        f"{__name__}.SyncOnly",
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
    DATABASES={"default": DATABASE},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
if "DATABASE" in os.environ:
    call_command("migrate", verbosity=0)
    connections.close_all()


class SyncOnly(MiddlewareMixin):
    async_capable = False


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.session.get("user")))


async def later(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("later")


def users(_request: HttpRequest) -> HttpResponse:
    from django.contrib.auth.models import User

    return HttpResponse(str(User.objects.count()))


class Item(View):
    def get(self, _request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(str(pk))

    def post(self, _request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(str(pk))


urlpatterns = [
    path("", index),
    path("later/", later),
    path("users", require_http_methods(["GET", "POST"])(users)),
    path("items/<int:pk>/", Item.as_view()),
    path("more/<slug:name>/", include([path("<uuid:id>", index), path("<path:rest>", index)])),
    re_path(r"^year/(?P<year>[0-9]{4})/(?P<kind>[a-z]+)/?$", index),
    re_path(r"^plain/(\d+)/v1\.0$", index),
    path("admin/", admin.site.urls),
]

application = get_wsgi_application()
asgi = get_asgi_application()

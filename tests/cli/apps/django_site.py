"""A Django project in one file: WSGI as `application`, ASGI as `asgi`; three routes, two of them included."""

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import include, path

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="test", ALLOWED_HOSTS=["*"])
django.setup()


def index(_request: object) -> HttpResponse:
    return HttpResponse("django")


urlpatterns = [path("", index), path("more/", include([path("a", index), path("b", index)]))]

application = get_wsgi_application()
asgi = get_asgi_application()

"""The settings of both Django apps: what `startproject` writes, as far as it touches a request."""

from __future__ import annotations

import django
from django.conf import settings


def configure(urls: str) -> None:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urls,
        SECRET_KEY="for tests only",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # as startproject writes it; sets Content-Length
        APPEND_SLASH=False,
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        USE_TZ=True,
        LOGGING={  # with DEBUG off Django mails errors to admins and logs nothing: send them to stderr instead
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR"}},
        },
    )
    django.setup()

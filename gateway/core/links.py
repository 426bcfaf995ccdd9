"""Addresses of ours that leave a page, in feeds and examples: where people know us, else where we were asked."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix


def origin_of(request: HttpRequest) -> str:
    """Scheme and host: what stands before a path that `reverse` gives."""
    return settings.PUBLIC_URL.origin or f"{request.scheme}://{request.get_host()}"


def base_url_of(request: HttpRequest) -> str:
    """Of the whole gateway, without a slash at its end."""
    return origin_of(request) + get_script_prefix().rstrip("/")

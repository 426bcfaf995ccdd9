"""The admin's theme, as django-unfold takes it."""

from typing import Any

from django.templatetags.static import static

_COLOURS = {
    "primary": {
        "50": "#eefafb",
        "100": "#d6f1f4",
        "200": "#b0e3ea",
        "300": "#7acdd9",
        "400": "#52c3d3",
        "500": "#2a9fb1",
        "600": "#0b7285",
        "700": "#0a5d6c",
        "800": "#0b4b57",
        "900": "#0c3d47",
        "950": "#062831",
    }
}


def unfold_settings(base_path: str, *, has_catalogue: bool) -> dict[str, Any]:
    catalogue = {"title": "Catalogue for everybody", "link": f"{base_path}/models"}
    return {
        "SITE_TITLE": "Gatehouse",
        "SITE_HEADER": "Gatehouse",
        "SITE_SUBHEADER": "gateway.web.admin_site.live_line",
        "SITE_URL": f"{base_path}/",
        "SITE_ICON": lambda _request: static("gateway/logo.svg"),
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("gateway/logo.svg")}
        ],
        "STYLES": [
            lambda _request: static("gateway/palette.css"),
            lambda _request: static("gateway/admin.css"),
        ],
        "SCRIPTS": [
            lambda _request: static("gateway/htmx.js"),
            lambda _request: static("gateway/admin.js"),
            lambda request: f"{static('gateway/kept.js')}#{request.user.pk or ''}",
        ],
        "ENVIRONMENT": "gateway.web.admin_site.environment",
        "DASHBOARD_CALLBACK": "gateway.web.admin_site.dashboard",
        "SIDEBAR": {"show_search": True, "navigation": "gateway.web.admin_site.navigation"},
        "ACCOUNT": {
            "navigation": [
                {"title": "API reference", "link": f"{base_path}/docs"},
                *([catalogue] if has_catalogue else []),
                {"title": "Change password", "link": f"{base_path}/admin/password_change/"},
            ]
        },
        "COLORS": _COLOURS,
    }

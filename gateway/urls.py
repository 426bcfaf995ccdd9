"""Every address that Django answers. Inference is answered before Django, by gateway.proxy."""

from django.contrib import admin
from django.urls import include, path, re_path

from accounts.leaks import LeaksView
from catalogue.urls import google_urlpatterns
from gateway.focus.views import FocusView
from gateway.metrics.views import metrics
from gateway.ops.dashboard_page import show_dashboard
from gateway.ops.repricing_page import show_repricing
from gateway.ops.route_trial_page import show_trial
from gateway.web import views
from gateway.web.admin_search import search

urlpatterns = [
    path("", include("gateway.identity.urls")),
    path("", include("gateway.portal.urls")),
    path("", include("gateway.public.urls")),
    path("", include("gateway.status.urls")),
    path("admin/connect/", include("gateway.connect.urls")),
    # In the place of the theme's own search, at its address.
    path("admin/search/", admin.site.admin_view(search)),
    path("admin/dashboard/", admin.site.admin_view(show_dashboard), name="dashboard"),
    path("admin/reprice/", admin.site.admin_view(show_repricing), name="reprice"),
    path("admin/routes/<int:pk>/trial/", admin.site.admin_view(show_trial), name="route-trial"),
    path("admin/", include("gateway.identity.admin_door")),
    path("admin/", admin.site.urls),
    path("v1/", include("catalogue.urls")),
    path("v1beta/", include(google_urlpatterns)),
    path("v1/", include("accounts.urls")),
    path("v1/", include("providers.urls")),
    path("scim/v2/", include("accounts.scim.urls")),
    path("v1/focus", FocusView.as_view(), name="focus"),
    path("v1/", include("gateway.responses.urls")),
    path("leaks", LeaksView.as_view(), name="leaks"),
    re_path(r"^/*v1(beta)?(/|$)", views.UnknownRoute.as_view()),
    path("openapi.json", views.Schema.as_view(), name="schema"),
    path("docs", views.docs, name="docs"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

handler400 = "gateway.web.views.bad_request"
handler403 = "gateway.web.views.permission_denied"
handler404 = "gateway.web.views.page_not_found"
handler500 = "gateway.web.views.server_error"

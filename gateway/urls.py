"""Every address that Django answers. Inference is answered before Django, by gateway.proxy."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]

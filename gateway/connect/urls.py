"""Addresses of the pages on which providers are connected."""

from django.contrib import admin
from django.urls import path

from gateway.connect import views

app_name = "connect"

urlpatterns = [
    path("", admin.site.admin_view(views.connect), name="connect"),
    path("<int:pk>/", admin.site.admin_view(views.connected), name="connected"),
]

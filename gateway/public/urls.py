"""The catalogue's addresses for people."""

from django.urls import path

from gateway.public import views

app_name = "public"

urlpatterns = [
    path("models", views.models, name="models"),
    path("models/compare", views.compare, name="compare"),
    path("models/retirements", views.retirements, name="retirements"),
    path("models/<path:name>", views.model, name="model"),
]

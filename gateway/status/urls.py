"""The status page's addresses."""

from django.urls import path

from gateway.status import views

app_name = "status"

urlpatterns = [
    path("status", views.page, name="page"),
    path("status.json", views.StatusJson.as_view(), name="json"),
    path("status.atom", views.StatusAtom.as_view(), name="atom"),
]

"""The portal's addresses."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from gateway.portal import views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(next_page="portal:sign-in"), name="sign-out"),
    path("password", views.Password.as_view(), name="password"),
    path("keys", views.keys, name="keys"),
    path("keys/<str:public_id>", views.key, name="key"),
    path("keys/<str:public_id>/revoke", views.revoke, name="revoke"),
]

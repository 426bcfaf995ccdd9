"""The addresses of signing in, by the names that allauth knows; what is not here is served nowhere."""

from django.urls import path

from gateway.identity.password import Password
from gateway.identity.sign_in import SignIn, SignOut

urlpatterns = [
    path("sign-in", SignIn.as_view(), name="account_login"),
    path("sign-out", SignOut.as_view(), name="account_logout"),
    path("password", Password.as_view(), name="account_change_password"),
]

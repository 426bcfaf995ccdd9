"""The addresses of what teams open providers with."""

from django.urls import path

from providers import credential_views as views

urlpatterns = [
    path("credentials", views.CredentialsView.as_view(), name="credentials"),
    path("credentials/<str:id>", views.CredentialView.as_view(), name="credential"),
    path("credentials/<str:id>/test", views.CredentialTestView.as_view(), name="credential-test"),
]

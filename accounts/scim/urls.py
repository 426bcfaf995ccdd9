"""The addresses of SCIM, below `/scim/v2/`."""

from django.urls import path, re_path

from accounts.scim import views

app_name = "scim"

urlpatterns = [
    path("Users", views.UsersView.as_view(), name="users"),
    path("Users/<str:id>", views.UserView.as_view(), name="user"),
    path("Groups", views.GroupsView.as_view(), name="groups"),
    path("Groups/<str:id>", views.GroupView.as_view(), name="group"),
    path("ServiceProviderConfig", views.ConfigView.as_view(), name="config"),
    path("ResourceTypes", views.ResourceTypesView.as_view(), name="resource-types"),
    path("ResourceTypes/<str:id>", views.ResourceTypeView.as_view(), name="resource-type"),
    path("Schemas", views.SchemasView.as_view(), name="schemas"),
    path("Schemas/<str:id>", views.SchemaView.as_view(), name="schema"),
    re_path(r"^", views.UnknownView.as_view(), name="unknown"),
]

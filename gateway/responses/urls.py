"""The addresses of stored responses; `POST /v1/responses` and `…/input_tokens` are the edge's."""

from django.urls import path

from gateway.responses import views

urlpatterns = [
    path("responses/compact", views.CompactView.as_view()),
    path("responses/<str:response_id>", views.StoredResponseView.as_view()),
    path("responses/<str:response_id>/cancel", views.CancelView.as_view()),
    path("responses/<str:response_id>/input_items", views.InputItemsView.as_view()),
]

"""Which of a page's forms was sent: each says its name in the field `form`."""

from django.http import HttpRequest, QueryDict


class Sent:
    """`name` is empty where nothing was sent, or by a page's only form."""

    def __init__(self, request: HttpRequest) -> None:
        self.data: QueryDict | None = request.POST if request.method == "POST" else None
        self.name = str(self.data.get("form", "")) if self.data is not None else ""

    def __bool__(self) -> bool:
        return self.data is not None

    def to(self, name: str) -> QueryDict | None:
        """What that form was sent, for it to read; None for it to be shown as it is."""
        return self.data if self.data is not None and self.name == name else None

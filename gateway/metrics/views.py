"""`/metrics` of a web process, through Django and so in a thread: never on the loop of calls."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from gateway.metrics.serving import CHALLENGE, PLAIN, REFUSAL, scrape, shows


@csrf_exempt
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever shows GATEWAY_METRICS_TOKEN; without that setting there is no such address."""
    if not settings.METRICS_TOKEN:
        if request.user.is_authenticated and request.user.is_staff:
            return render(request, "metrics_off.html", {"port": settings.METRICS_PORT}, status=404)
        raise Http404
    if not shows(request.headers.get("authorization", ""), settings.METRICS_TOKEN):
        refusal = HttpResponse(f"{REFUSAL}\n", PLAIN, status=401)
        refusal["WWW-Authenticate"] = CHALLENGE
        return refusal
    text, content_type = scrape(settings.METRICS_DIR, request.headers.get("accept", ""))
    answer = HttpResponse(text, content_type)
    answer["Cache-Control"] = "no-store"
    return answer

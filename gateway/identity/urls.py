"""The addresses of signing in, by the names that allauth knows; what is not here is served nowhere."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.module_loading import import_string

View = Callable[..., HttpResponseBase]


@cache
def _view(name: str) -> View:
    found: Any = import_string(f"gateway.identity.{name}")
    view: View = found.as_view() if hasattr(found, "as_view") else found
    return view


def later(name: str) -> View:
    """A view of this room, read when it is first asked for: passkeys take 5 MB, and many processes serve calls only."""

    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        return _view(name)(request, **named)

    return answer


urlpatterns = [
    path("sign-in", later("sign_in.SignIn"), name="account_login"),
    path("sign-in/code", later("second_step.SecondStep"), name="mfa_authenticate"),
    path("sign-in/passkey", later("second_step.PasskeySignIn"), name="mfa_login_webauthn"),
    path("sign-in/again", later("second_step.PasswordAgain"), name="account_reauthenticate"),
    path("sign-in/again/code", later("second_step.CodeAgain"), name="mfa_reauthenticate"),
    path("sign-in/again/passkey", later("second_step.PasskeyAgain"), name="mfa_reauthenticate_webauthn"),
    path("sign-in/with/<str:provider_id>", later("sso.begin"), name="openid_connect_login"),
    path("sign-in/with/<str:provider_id>/back", later("sso.callback"), name="openid_connect_callback"),
    path("sign-out", later("sign_in.SignOut"), name="account_logout"),
    path("sign-up", later("sign_up.ask"), name="account_signup"),
    path("sign-up/new", later("sign_up.make"), name="sign_up"),
    path("password", later("password.Password"), name="account_change_password"),
    path("password/forgotten", later("reset.forgotten"), name="account_reset_password"),
    path("password/new", later("reset.new_password"), name="new_password"),
    path("account", later("account.Account"), name="mfa_index"),
    path("account/app", later("factors.AddApp"), name="mfa_activate_totp"),
    path("account/app/remove", later("factors.RemoveApp"), name="mfa_deactivate_totp"),
    path("account/passkeys/add", later("factors.AddPasskey"), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove", later("factors.RemovePasskey"), name="mfa_remove_webauthn"),
    path("account/recovery-codes", later("factors.RecoveryCodes"), name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new", later("factors.NewRecoveryCodes"), name="mfa_generate_recovery_codes"),
    path("account/sessions/<int:pk>/end", later("account.end_session"), name="end_session"),
    path("account/sessions/end-others", later("account.end_others"), name="end_others"),
]

"""The addresses of signing in, by the names that allauth knows; what is not here is served nowhere."""

from django.urls import path

from gateway.identity import account, factors, password, reset, second_step, sign_in, sign_up

urlpatterns = [
    path("sign-in", sign_in.SignIn.as_view(), name="account_login"),
    path("sign-in/code", second_step.SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey", second_step.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("sign-in/again", second_step.PasswordAgain.as_view(), name="account_reauthenticate"),
    path("sign-in/again/code", second_step.CodeAgain.as_view(), name="mfa_reauthenticate"),
    path("sign-in/again/passkey", second_step.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("sign-out", sign_in.SignOut.as_view(), name="account_logout"),
    path("sign-up", sign_up.ask, name="account_signup"),
    path("sign-up/new", sign_up.make, name="sign_up"),
    path("password", password.Password.as_view(), name="account_change_password"),
    path("password/forgotten", reset.forgotten, name="account_reset_password"),
    path("password/new", reset.new_password, name="new_password"),
    path("account", account.Account.as_view(), name="mfa_index"),
    path("account/app", factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("account/app/remove", factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/passkeys/add", factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove", factors.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("account/recovery-codes", factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new", factors.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"
    ),
    path("account/sessions/<int:pk>/end", account.end_session, name="end_session"),
    path("account/sessions/end-others", account.end_others, name="end_others"),
]

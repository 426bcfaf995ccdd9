"""An identity provider that speaks OpenID Connect, on a real socket, and says what a test wants it to."""

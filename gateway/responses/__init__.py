"""Stored answers of `/v1/responses`: kept in SQL, encrypted, and given back."""

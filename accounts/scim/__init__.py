"""SCIM 2.0: what identity providers tell of people and groups, as RFC 7643 and 7644 have it and as they really say it.

Okta and Entra ID differ from the text in spellings, paths and kinds of values; what is meant without doubt is taken.
"""

"""Domains whose mail addresses say who somebody is."""

from django.core.validators import RegexValidator
from django.db import models


class TrustedDomainsModel(models.Model):
    """Whoever tells us of people, and is believed about some of their addresses."""

    trusted_domains = models.CharField(
        max_length=500,
        blank=True,
        default="",
        validators=[
            RegexValidator(r"^([a-z0-9-]+(\.[a-z0-9-]+)+([ ,]+|$))*$", "Domains with blanks between them.")
        ],
        help_text="Domains of mail addresses, such as example.com, with blanks between them: whoever signs in here "
        "with such an address is taken over by this directory once it names them. Empty: it keeps only those whom it "
        "made.",
    )

    class Meta:
        abstract = True

    def trusts(self, address: str) -> bool:
        domain = address.rpartition("@")[2].lower()
        return bool(domain) and domain in self.trusted_domains.replace(",", " ").split()

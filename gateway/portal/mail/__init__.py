"""Which mails a person wants."""

"""The one door of portal and admin: who somebody is, by what they prove it, and their sessions; upon allauth."""

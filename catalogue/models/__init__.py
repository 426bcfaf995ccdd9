"""Working rows that staff edit, and the published rows that clients see."""

from catalogue.models.ignored_finding import IgnoredFinding
from catalogue.models.model import Alias, Model
from catalogue.models.offering import Offering, Price
from catalogue.models.organisation import Organisation
from catalogue.models.published import Edition, PublishedModel
from catalogue.models.published_offering import PublishedOffering, PublishedPrice
from catalogue.models.route import Route
from catalogue.models.route_member import RouteMember
from catalogue.models.sheet_import import SheetImport

__all__ = [
    "Alias",
    "Edition",
    "IgnoredFinding",
    "Model",
    "Offering",
    "Organisation",
    "Price",
    "PublishedModel",
    "PublishedOffering",
    "PublishedPrice",
    "Route",
    "RouteMember",
    "SheetImport",
]

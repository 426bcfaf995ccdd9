"""What calls cost: meters, conditions, rates, and the rate card of an offering. Pure."""

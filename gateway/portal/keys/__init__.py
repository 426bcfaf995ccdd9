"""A team's keys: listed, issued, changed, rotated and revoked; what each may and did."""

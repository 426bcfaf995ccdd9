"""How a client's call is made at a provider: requests, answers and failures between two wire formats."""

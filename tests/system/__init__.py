"""The whole product as processes, against real servers: what happens when one of them dies."""

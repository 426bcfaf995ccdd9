"""Every page of the console, found by its address, as each role sees it."""

"""What stands on nothing of the project, and all of it may stand on."""

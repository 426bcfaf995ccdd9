"""Importing a folder of catalogue data: read and check all of it, compare, then write in short transactions."""

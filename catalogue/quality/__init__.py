"""What is to be mended: rules over models, how complete a record is, and the list of all findings."""

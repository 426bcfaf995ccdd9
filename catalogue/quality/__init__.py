"""What is to be fixed: rules over models, how complete a record is, and the list of all findings."""

"""What lists of models may be asked for: parameters, filters, pages, and the words that models use."""
